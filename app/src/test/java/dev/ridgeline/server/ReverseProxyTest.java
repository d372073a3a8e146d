package dev.ridgeline.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three servers behind Debian's HAProxy, one of which is killed under load. */
@Timeout(240)
class ReverseProxyTest {
  private static final Path HAPROXY = Path.of("/usr/sbin/haproxy");
  private final HttpClient client = HttpClient.newHttpClient();

  private record Failure(String server, long sentNanos, String what) {}

  private static int freePort() {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String config(int front, int[] ports) {
    return """
    global
      maxconn 256
    defaults
      mode http
      timeout connect 2s
      timeout client 60s
      timeout server 60s
      option redispatch 1
      retries 3
      retry-on conn-failure
    frontend all
      bind 127.0.0.1:%d
      default_backend ridgeline
    backend ridgeline
      balance leastconn
      option httpchk GET /readyz
      http-after-response set-header X-Server %%[srv_name]
      default-server check inter 200ms fall 1 rise 1
      server s0 127.0.0.1:%d
      server s1 127.0.0.1:%d
      server s2 127.0.0.1:%d
    """
        .formatted(front, ports[0], ports[1], ports[2]);
  }

  private static Process serve(int port, Path log) throws IOException {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "--add-modules",
            "jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-XX:+UseSerialGC",
            "-Xmx300m",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.ridgeline.cli.Main",
            "serve",
            "-m",
            TestServer.MODEL.toString(),
            "--threads",
            "1",
            "--parallel",
            "4",
            "--port",
            String.valueOf(port)));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(log.toFile())
        .start();
  }

  private int status(int port) throws InterruptedException {
    try {
      return client
          .send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/readyz")).build(),
              BodyHandlers.discarding())
          .statusCode();
    } catch (IOException e) {
      return 0;
    }
  }

  @Disabled("does not finish: fewer than 20 answers come through the proxy; see docs/PROGRESS.md")
  @Test
  void noRequestIsLostThatWasNotRunningOnTheServerThatDied(@TempDir Path folder) throws Exception {
    Assumptions.assumeTrue(Files.exists(HAPROXY), "needs /usr/sbin/haproxy");
    int[] ports = {freePort(), freePort(), freePort()};
    int front = freePort();
    Path config = folder.resolve("haproxy.cfg");
    Files.writeString(config, config(front, ports));
    var processes = new ArrayList<Process>();
    try {
      for (int port : ports) {
        processes.add(serve(port, folder.resolve(port + ".log")));
      }
      for (int port : ports) {
        while (status(port) != 200) {
          Thread.sleep(50);
        }
      }
      processes.add(
          new ProcessBuilder(HAPROXY.toString(), "-db", "-f", config.toString())
              .redirectErrorStream(true)
              .redirectOutput(folder.resolve("haproxy.log").toFile())
              .start());
      while (status(front) != 200) {
        Thread.sleep(50);
      }
      load(front, processes.get(1));
    } finally {
      processes.forEach(Process::destroyForcibly);
      client.close();
    }
  }

  private void load(int front, Process victim) throws InterruptedException {
    var done = new AtomicInteger();
    var sent = new AtomicInteger();
    var failures = new ConcurrentLinkedQueue<Failure>();
    var threads = new ArrayList<Thread>();
    for (int c = 0; c < 9; c++) {
      threads.add(
          Thread.startVirtualThread(
              () -> {
                while (sent.getAndIncrement() < 90) {
                  long now = System.nanoTime();
                  HttpResponse<String> answer = ask(front);
                  String server = answer.headers().firstValue("X-Server").orElse("none");
                  if (answer.statusCode() == 200) {
                    done.incrementAndGet();
                  } else {
                    failures.add(new Failure(server, now, answer.statusCode() + answer.body()));
                  }
                }
              }));
    }
    while (done.get() < 20) {
      Thread.sleep(5);
    }
    victim.destroyForcibly();
    long killedNanos = System.nanoTime();
    for (Thread thread : threads) {
      thread.join();
    }
    for (Failure failure : failures) {
      assertThat(failure.server).as(failure.what).isEqualTo("s1");
      assertThat(failure.sentNanos).as(failure.what).isLessThan(killedNanos);
    }
    assertThat(failures.size()).isLessThanOrEqualTo(9);
    assertThat(done.get() + failures.size()).isEqualTo(90);
  }

  private HttpResponse<String> ask(int front) {
    try {
      return client.send(
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + front + "/v1/completions"))
              .header("Content-Type", "application/json")
              .POST(
                  HttpRequest.BodyPublishers.ofString(
                      "{\"prompt\":\"Once upon a time\",\"max_tokens\":8,\"ignore_eos\":true}"))
              .build(),
          BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
