package dev.ridgeline.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What only the whole process does: ends on SIGTERM, tells a collector of spans. */
@Timeout(240)
class ServerProcessTest {
  private final HttpClient client = HttpClient.newHttpClient();
  private final int port = freePort();
  private @TempDir Path folder = Path.of("");
  private @Nullable Process process;

  private static int freePort() {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private Process start(Map<String, String> environment, String... options) throws Exception {
    Process started = ServerProcess.start(port, folder.resolve("log"), environment, options);
    process = started;
    while (!ready()) {
      assertThat(started.isAlive()).as(() -> log()).isTrue();
      Thread.sleep(50);
    }
    return started;
  }

  private boolean ready() throws InterruptedException {
    try {
      var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/readyz"));
      return client.send(request.build(), BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException e) {
      return false;
    }
  }

  private String log() {
    try {
      return Files.readString(folder.resolve("log"));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @AfterEach
  void stop() {
    if (process != null) {
      process.destroyForcibly();
    }
    client.close();
  }

  /** A streamed request whose first event has come, and a reader of the rest. */
  private BufferedReader streaming(Socket socket, int tokens) throws IOException {
    byte[] body =
        "{\"prompt\":\"Once upon a time\",\"stream\":true,\"ignore_eos\":true,\"max_tokens\":%d}"
            .formatted(tokens)
            .getBytes(StandardCharsets.UTF_8);
    String head =
        "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            + "Connection: close\r\nContent-Length: %d\r\n\r\n".formatted(body.length);
    socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
    socket.getOutputStream().write(body);
    var in =
        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    String line = in.readLine();
    while (line != null && !line.startsWith("data: {")) {
      line = in.readLine();
    }
    return in;
  }

  @Test
  void onSigtermRunningRequestsFinishAndThenTheProcessEnds() throws Exception {
    Process server = start(Map.of());
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      BufferedReader in = streaming(socket, 300);
      server.destroy(); // SIGTERM
      List<String> rest = in.lines().filter(l -> l.startsWith("data: ")).toList();
      assertThat(rest.getLast()).isEqualTo("data: [DONE]");
      assertThat(rest).hasSizeGreaterThan(200);
    }
    assertThat(server.waitFor()).isEqualTo(143);
    assertThat(log()).contains(" drain ").contains(" closed");
  }

  @Test
  void whatIsNotDoneWhenTheDeadlineOfTheDrainComesIsToldSo() throws Exception {
    // The reference backend takes minutes for this text.
    Process server = start(Map.of(), "--drain", "1", "--backend", "reference");
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      BufferedReader in = streaming(socket, 400);
      server.destroy();
      List<String> rest = in.lines().filter(l -> l.startsWith("data: ")).toList();
      assertThat(rest.getLast()).contains("shutting down");
    }
    assertThat(server.waitFor()).isEqualTo(143);
  }

  @Test
  void spansReachACollector() throws Exception {
    var bodies = new CopyOnWriteArrayList<String>();
    HttpServer collector =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    collector.createContext(
        "/v1/traces",
        exchange -> {
          boolean zipped = "gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"));
          var in = exchange.getRequestBody();
          byte[] bytes = zipped ? new GZIPInputStream(in).readAllBytes() : in.readAllBytes();
          bodies.add(new String(bytes, StandardCharsets.ISO_8859_1));
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    collector.start();
    try {
      start(
          Map.of(
              "OTEL_EXPORTER_OTLP_ENDPOINT",
              "http://127.0.0.1:" + collector.getAddress().getPort(),
              "OTEL_EXPORTER_OTLP_PROTOCOL",
              "http/protobuf",
              "OTEL_METRICS_EXPORTER",
              "none",
              "OTEL_LOGS_EXPORTER",
              "none",
              "OTEL_SERVICE_NAME",
              "tested",
              "OTEL_BSP_SCHEDULE_DELAY",
              "50"));
      String trace = "0af7651916cd43dd8448eb211c80319c";
      var request =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/v1/completions"))
              .header("Content-Type", "application/json")
              .header("traceparent", "00-" + trace + "-b7ad6b7169203331-01")
              .POST(HttpRequest.BodyPublishers.ofString("{\"prompt\":\"Once\",\"max_tokens\":4}"));
      assertThat(client.send(request.build(), BodyHandlers.ofString()).statusCode()).isEqualTo(200);
      String id = new String(HexFormat.of().parseHex(trace), StandardCharsets.ISO_8859_1);
      while (bodies.stream().noneMatch(b -> b.contains(id))) {
        Thread.sleep(20);
      }
      // Strings stand in the protocol's bytes as they are.
      String spans = bodies.stream().filter(b -> b.contains(id)).findFirst().orElseThrow();
      assertThat(spans)
          .contains("tested", "/v1/completions", "queue", "prefill", "decode")
          .contains("gen_ai.usage.output_tokens", "http.response.status_code");
    } finally {
      collector.stop(0);
    }
  }
}
