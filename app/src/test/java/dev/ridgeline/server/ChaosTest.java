package dev.ridgeline.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;

/** A thousand requests, a third of them from clients that misbehave. */
@Timeout(400)
class ChaosTest {
  private static final int REQUESTS = 1000;
  private static final int CLIENTS = 16;
  private static final int MAX_BODY = 20_000;
  private static final List<String> PROMPTS =
      List.of("Once upon a time", "The king", "In the year", "She said", "It was a dark night and");

  private static String body(int prompt, boolean stream) {
    return "{\"prompt\":\"%s\",\"max_tokens\":6,\"temperature\":0,\"ignore_eos\":true,\"stream\":%s}"
        .formatted(PROMPTS.get(prompt), stream);
  }

  /** Sends {@code body} and reads for as long as {@code atMostBytes}, then goes away. */
  private static String raw(int port, String body, int atMostBytes) throws IOException {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      String head =
          "POST /v1/completions HTTP/1.1\r\n"
              + "Host: x\r\n"
              + "Connection: close\r\n"
              + "Content-Type: application/json\r\n"
              + "Content-Length: "
              + bytes.length
              + "\r\n\r\n";
      socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
      socket.getOutputStream().write(bytes);
      InputStream in = socket.getInputStream();
      return new String(in.readNBytes(atMostBytes), StandardCharsets.UTF_8);
    }
  }

  private static long openDescriptors() throws IOException {
    try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
      return all.count();
    }
  }

  private static long usedHeapBytes() throws InterruptedException {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 4; i++) {
      System.gc();
      Thread.sleep(50);
      least = Math.min(least, ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
    }
    return least;
  }

  private record Resources(long threads, long descriptors, long heapBytes) {
    static Resources now() throws IOException, InterruptedException {
      return new Resources(
          ManagementFactory.getThreadMXBean().getThreadCount(), openDescriptors(), usedHeapBytes());
    }
  }

  @Test
  void everyOtherRequestIsAnsweredAndNothingLeaks() throws Exception {
    ServerSettings d = TestServer.settings();
    var l = d.limits();
    var limits =
        new ServerSettings.Limits(
            MAX_BODY, l.headerBytes(), 8, l.time(), l.write(), l.connections());
    var settings =
        new ServerSettings(d.listen(), limits, d.admission(), d.operations(), d.models());
    try (var server = TestServer.start(settings, o -> o.parallel(8))) {
      int port = server.server.port();
      var expected = new ArrayList<String>();
      for (int i = 0; i < PROMPTS.size(); i++) {
        JsonNode answer = server.postExact("/v1/completions", body(i, false)).json();
        expected.add(answer.get("choices").get(0).get("text").asString());
      }
      storm(server, port, expected, 200, 1);
      Resources before = Resources.now();
      storm(server, port, expected, REQUESTS, 2);
      JsonNode engine = server.get("/engine").json();
      while (engine.get("running").asInt() + engine.get("waiting").asInt() > 0) {
        engine = server.get("/engine").json();
      }
      assertThat(engine.get("kv").get("in_use").asInt()).isZero();
      Resources after = Resources.now();
      // Carriers of virtual threads and the JIT's threads come and go.
      assertThat(after.threads).isLessThanOrEqualTo(before.threads + 4);
      assertThat(after.descriptors).isLessThanOrEqualTo(before.descriptors + 4);
      assertThat(after.heapBytes).isLessThan(before.heapBytes + (8 << 20));
    }
  }

  private static void storm(
      TestServer server, int port, List<String> expected, int requests, long seed)
      throws InterruptedException {
    var next = new AtomicInteger();
    var wrong = new ConcurrentLinkedQueue<String>();
    var threads = new ArrayList<Thread>();
    for (int c = 0; c < CLIENTS; c++) {
      threads.add(
          Thread.startVirtualThread(
              () -> {
                int i;
                while ((i = next.getAndIncrement()) < requests) {
                  try {
                    one(server, port, expected, new Random(seed * 100_000 + i));
                  } catch (IOException | RuntimeException | AssertionError e) {
                    wrong.add(e.toString());
                  }
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(wrong).as(server.log()).isEmpty();
  }

  private static void one(TestServer server, int port, List<String> expected, Random random)
      throws IOException {
    int kind = random.nextInt(100);
    int prompt = random.nextInt(PROMPTS.size());
    boolean stream = random.nextBoolean();
    if (kind < 30) {
      raw(port, body(prompt, stream).replace(":6", ":200"), random.nextInt(400));
    } else if (kind < 35) {
      String good = body(prompt, stream);
      String cut = good.substring(0, 1 + random.nextInt(good.length() - 1));
      assertThat(raw(port, cut, 1 << 20)).startsWith("HTTP/1.1 400");
    } else if (kind < 40) {
      boolean body = random.nextBoolean();
      String large = "x ".repeat(body ? MAX_BODY : 4000);
      String answer = raw(port, "{\"prompt\":\"" + large + "\"}", 1 << 20);
      assertThat(answer).startsWith(body ? "HTTP/1.1 413" : "HTTP/1.1 400");
    } else {
      var answer = server.postExact("/v1/completions", body(prompt, stream));
      assertThat(answer.status()).as(answer.text()).isEqualTo(200);
      var text = new StringBuilder();
      if (stream) {
        answer.events().forEach(e -> text.append(e.get("choices").get(0).get("text").asString()));
      } else {
        text.append(answer.json().get("choices").get(0).get("text").asString());
      }
      assertThat(text.toString()).isEqualTo(expected.get(prompt));
    }
  }
}
