package dev.ridgeline.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.EngineOptions;
import dev.ridgeline.server.ServerSettings.Admission;
import dev.ridgeline.server.ServerSettings.Listen;
import dev.ridgeline.server.ServerSettings.Operations;
import dev.ridgeline.server.TestServer.Answer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.KeyStore;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** What operators rely on: limits, going away, deadlines, probes, keys, shutting down. */
@Timeout(60)
class OperationsTest {
  private static final String LONG =
      "{'prompt':'Once upon a time','max_tokens':400,'ignore_eos':true%s}";

  @TempDir private Path folder = Path.of("");

  private static ServerSettings with(Listen listen, Admission admission, Operations operations) {
    ServerSettings d = TestServer.settings();
    return new ServerSettings(listen, d.limits(), admission, operations, d.models());
  }

  private static ServerSettings with(Admission admission) {
    ServerSettings d = TestServer.settings();
    return with(d.listen(), admission, d.operations());
  }

  private static ServerSettings with(Operations operations) {
    ServerSettings d = TestServer.settings();
    return with(d.listen(), d.admission(), operations);
  }

  private static UnaryOperator<EngineOptions.Builder> parallel(int n) {
    return o -> o.parallel(n);
  }

  /** Waits for something that happens in another thread; the test's own timeout is the limit. */
  private static void await(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) {
      Thread.sleep(5);
    }
  }

  private static JsonNode engine(TestServer server) {
    return server.get("/engine").json();
  }

  /** A connection with a request on its way, as raw bytes. */
  private static Socket ask(TestServer server, String body) throws IOException {
    var socket = new Socket(InetAddress.getLoopbackAddress(), server.server.port());
    byte[] json = body.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    String head =
        "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            + "Content-Length: "
            + json.length
            + "\r\n\r\n";
    socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
    socket.getOutputStream().write(json);
    return socket;
  }

  @Test
  void aFullQueueAnswers429WithRetryAfterAndTheOthersAreServed() throws Exception {
    try (var server =
        TestServer.start(with(new Admission(2, 100, Duration.ofMinutes(1))), parallel(1))) {
      var asked = new ArrayList<CompletableFuture<Answer>>();
      for (int i = 0; i < 3; i++) {
        int waiting = i;
        asked.add(
            CompletableFuture.supplyAsync(
                () -> server.post("/v1/completions", LONG.formatted(""))));
        await(
            () ->
                engine(server).get("running").asInt() == 1
                    && engine(server).get("waiting").asInt() == waiting);
      }
      Answer refused = server.post("/v1/completions", LONG.formatted(""));
      refused.isError(429, "", "2 requests may wait");
      assertThat(
              Integer.parseInt(refused.response().headers().firstValue("Retry-After").orElse("")))
          .isBetween(1, 60);
      for (var future : asked) {
        assertThat(future.get().status()).isEqualTo(200);
      }
      assertThat(server.metric("ridgeline_rejections_total")).isEqualTo(1);
    }
  }

  @Test
  void promptTokensThatWaitAreBoundedAndWaitingForTooLongIs429() throws Exception {
    try (var server =
        // On the slow backend, so that the place stays taken.
        TestServer.start(
            with(new Admission(9, 100, Duration.ofMillis(300))),
            o -> o.parallel(1).backend("reference"))) {
      try (Socket first = ask(server, LONG.formatted(",'stream':true"))) {
        await(() -> engine(server).get("running").asInt() == 1);
        String many = "'" + "a b c d e f ".repeat(20) + "'";
        server
            .post("/v1/completions", "{'prompt':" + many + "}")
            .isError(429, "", "100 prompt tokens may wait");
        server.post("/v1/completions", LONG.formatted("")).isError(429, "", "no place came free");
        assertThat(first.isConnected()).isTrue();
      }
    }
  }

  @Test
  void aClientThatGoesAwayFreesItsPlaceAtOnceStreamedOrNotOrWaiting() throws Exception {
    try (var server = TestServer.start(TestServer.settings(), parallel(2))) {
      for (String kind : List.of("", ",'stream':true", ",'n':5")) {
        Socket socket = ask(server, LONG.formatted(kind));
        await(() -> engine(server).get("running").asInt() > 0);
        double before =
            server.metric("ridgeline_requests_finished_total{finished_reason=\"length\"}");
        socket.close();
        await(() -> engine(server).get("running").asInt() == 0);
        assertThat(engine(server).get("waiting").asInt()).isZero();
        assertThat(engine(server).get("kv").get("in_use").asInt()).isZero();
        assertThat(server.metric("ridgeline_requests_finished_total{finished_reason=\"length\"}"))
            .isEqualTo(before);
      }
      assertThat(server.log()).contains("status=499").contains("finish=cancelled");
      assertThat(server.post("/v1/completions", "{'prompt':'a','max_tokens':1}").status())
          .isEqualTo(200);
    }
  }

  @Test
  void aRequestWhoseTimeIsOverIs504() {
    try (var server = TestServer.start()) {
      server
          .post("/v1/completions", LONG.formatted(",'timeout':0.05"))
          .isError(504, "", "time for this request was over");
      Answer streamed =
          server.post("/v1/completions", LONG.formatted(",'timeout':0.1,'stream':true"));
      assertThat(streamed.text()).contains("\"type\":\"timeout_error\"").doesNotContain("[DONE]");
    }
  }

  @Test
  void aRequestThatComesBeforeTheAnswerToTheLastOneIsKept() throws Exception {
    try (var server = TestServer.start();
        Socket socket = ask(server, LONG.formatted("").replace("400", "40"))) {
      socket.setSoTimeout(60_000);
      await(() -> engine(server).get("running").asInt() == 1);
      socket
          .getOutputStream()
          .write(
              "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII));
      String all = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(all.indexOf("text_completion")).isPositive();
      assertThat(all.indexOf("{\"status\":\"ok\"}")).isGreaterThan(all.indexOf("text_completion"));
    }
  }

  @Test
  void probesTellLoadingReadyAndFailed() throws Exception {
    var go = new CountDownLatch(1);
    try (var server =
        TestServer.startLoading(
            TestServer.settings(),
            o -> {
              try {
                go.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              return o;
            })) {
      assertThat(server.get("/livez").status()).isEqualTo(200);
      assertThat(server.get("/startupz").status()).isEqualTo(503);
      assertThat(server.get("/readyz").json().get("status").asString()).isEqualTo("loading model");
      Answer early = server.post("/v1/completions", "{'prompt':'a'}");
      early.isError(503, "", "being loaded");
      assertThat(early.response().headers().firstValue("Retry-After")).isPresent();
      go.countDown();
      server.server.awaitReady();
      for (String path : List.of("/livez", "/readyz", "/startupz", "/health")) {
        assertThat(server.get(path).status()).as(path).isEqualTo(200);
      }
    }
    try (var failing =
        TestServer.startLoading(
            TestServer.settings(),
            _ -> {
              throw new IllegalArgumentException("no such model");
            })) {
      assertThatThrownBy(failing.server::awaitReady).hasMessage("no such model");
      assertThat(failing.get("/livez").status()).isEqualTo(503);
    }
  }

  @Test
  void closingLetsRunningRequestsFinishAndTakesNoMore() throws Exception {
    var server = TestServer.start();
    var running =
        CompletableFuture.supplyAsync(
            () -> server.post("/v1/completions", LONG.formatted("").replace("400", "60")));
    await(() -> engine(server).get("running").asInt() == 1);
    var closing = CompletableFuture.runAsync(server.server::close);
    await(() -> server.log().contains("drain"));
    assertThat(server.get("/readyz").json().get("status").asString()).isEqualTo("shutting down");
    server.post("/v1/completions", "{'prompt':'a'}").isError(503, "", "shutting down");
    assertThat(running.get().json().get("usage").get("completion_tokens").asInt()).isEqualTo(60);
    closing.get();
    server.client.close();
  }

  @Test
  void whatTakesTooLongToDrainIsEndedAndToldSo() throws Exception {
    Operations d = ServerSettings.DEFAULTS.operations();
    var server =
        TestServer.start(
            with(new Operations(null, false, true, Duration.ofMillis(50), d.stuckStep())), o -> o);
    var running =
        CompletableFuture.supplyAsync(() -> server.post("/v1/completions", LONG.formatted("")));
    await(() -> engine(server).get("running").asInt() == 1);
    server.server.close();
    running.get().isError(503, "", "shutting down");
    for (String line : server.log().lines().toList()) {
      assertThat(Json.MAPPER.readTree(line).get("event").asString()).isNotEmpty();
    }
    assertThat(server.log()).doesNotContain("Once upon").contains("\"finish\":\"cancelled\"");
    server.client.close();
  }

  @Test
  void keysAreAskedForOnEveryRouteButHealthAndReadAgainWhenTheFileChanges() throws Exception {
    Path file = Files.writeString(folder.resolve("keys"), "# ours\nalice sk-1\nsk-2\n");
    Operations d = ServerSettings.DEFAULTS.operations();
    try (var server =
        TestServer.start(
            with(new Operations(file, false, false, d.drain(), d.stuckStep())), o -> o)) {
      for (String path :
          List.of("/v1/models", "/metrics", "/engine", "/nothing", "/v1/completions")) {
        server.get(path).isError(401, "", "no API key");
      }
      for (String path : List.of("/livez", "/readyz", "/startupz", "/health", "/")) {
        assertThat(server.get(path).status()).as(path).isEqualTo(200);
      }
      assertThat(withKey(server, "Authorization", "Bearer sk-1")).isEqualTo(200);
      assertThat(withKey(server, "X-Api-Key", "sk-2")).isEqualTo(200);
      assertThat(withKey(server, "Authorization", "Bearer sk-3")).isEqualTo(401);
      assertThat(server.log()).contains("client=alice").doesNotContain("sk-1");
      Files.writeString(file, "bob sk-3\n");
      Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(5)));
      await(() -> withKey(server, "Authorization", "Bearer sk-3") == 200);
      assertThat(withKey(server, "Authorization", "Bearer sk-1")).isEqualTo(401);
      Files.writeString(file, "a b c d\n");
      Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(9)));
      await(() -> server.log().contains("expected KEY or NAME KEY"));
      assertThat(withKey(server, "Authorization", "Bearer sk-3")).isEqualTo(200);
    }
    Path empty = Files.writeString(folder.resolve("none"), "\n");
    assertThatThrownBy(() -> new ApiKeys(empty)).hasMessageContaining("holds no key");
    assertThatThrownBy(() -> new ApiKeys(folder.resolve("missing")))
        .hasMessageStartingWith("--api-keys: cannot read");
  }

  private static int withKey(TestServer server, String header, String value) {
    return server.send(server.request("/v1/models").header(header, value).build()).status();
  }

  @Test
  void onlyListedOriginsMayCallFromBrowsers() {
    ServerSettings d = TestServer.settings();
    var listen = new Listen("127.0.0.1", 0, List.of("https://good.example"), null);
    try (var server = TestServer.start(with(listen, d.admission(), d.operations()), o -> o)) {
      for (var origin : List.of("https://good.example", "https://bad.example")) {
        var answer = server.send(server.request("/v1/models").header("Origin", origin).build());
        assertThat(
                answer.response().headers().firstValue("Access-Control-Allow-Origin").isPresent())
            .isEqualTo(origin.contains("good"));
      }
      var preflight =
          server.send(
              server
                  .request("/v1/chat/completions")
                  .header("Origin", "https://good.example")
                  .header("Access-Control-Request-Method", "POST")
                  .header("Access-Control-Request-Headers", "authorization")
                  .method("OPTIONS", java.net.http.HttpRequest.BodyPublishers.noBody())
                  .build());
      assertThat(preflight.status()).isEqualTo(204);
      assertThat(preflight.response().headers().firstValue("Access-Control-Allow-Headers"))
          .contains("authorization");
    }
  }

  @Test
  void aBodyOverTheLimitIs413AndHeadersOverItAreRefused() {
    ServerSettings d = TestServer.settings();
    var l = d.limits();
    var limits =
        new ServerSettings.Limits(1000, l.headerBytes(), 128, l.time(), l.write(), l.connections());
    var settings =
        new ServerSettings(d.listen(), limits, d.admission(), d.operations(), d.models());
    try (var server = TestServer.start(settings, o -> o)) {
      server
          .post("/v1/completions", "{'prompt':'" + "x".repeat(1000) + "'}")
          .isError(413, "", "at most 1000 bytes");
      Answer headers =
          server.send(server.request("/livez").header("X-Long", "y".repeat(40_000)).build());
      assertThat(headers.status()).isBetween(400, 499);
      assertThat(server.get("/livez").status()).isEqualTo(200);
    }
  }

  @Test
  void tlsServesWithTheGivenCertificate() throws Exception {
    Path store = folder.resolve("store.p12");
    var keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "s",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost,ip:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                "secret1",
                "-validity",
                "2")
            .inheritIO()
            .start();
    assertThat(keytool.waitFor()).isZero();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, "secret1".toCharArray());
    }
    Path cert = pem("cert.pem", "CERTIFICATE", keys.getCertificate("s").getEncoded());
    Path key =
        pem("key.pem", "PRIVATE KEY", keys.getKey("s", "secret1".toCharArray()).getEncoded());
    ServerSettings d = TestServer.settings();
    var listen = new Listen("127.0.0.1", 0, List.of(), new ServerSettings.TlsFiles(cert, key));
    try (var server = TestServer.start(with(listen, d.admission(), d.operations()), o -> o)) {
      var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      KeyStore trusted = KeyStore.getInstance("PKCS12");
      trusted.load(null, null);
      trusted.setCertificateEntry("s", keys.getCertificate("s"));
      trust.init(trusted);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      try (HttpClient client = HttpClient.newBuilder().sslContext(context).build()) {
        var answer =
            client.send(
                server
                    .request("/v1/completions")
                    .header("Content-Type", "application/json")
                    .POST(
                        java.net.http.HttpRequest.BodyPublishers.ofString(
                            "{\"prompt\":\"a\",\"max_tokens\":4,\"stream\":true}"))
                    .build(),
                BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).endsWith("data: [DONE]\n\n");
      }
    }
    var broken = new Listen("127.0.0.1", 0, List.of(), new ServerSettings.TlsFiles(key, cert));
    assertThatThrownBy(
            () ->
                Server.start(
                    with(broken, d.admission(), d.operations()), _ -> noEngine(), System.err))
        .hasMessageStartingWith("--tls-cert, --tls-key: cannot use");
  }

  private static Engine noEngine() {
    throw new IllegalStateException("never asked for");
  }

  private Path pem(String name, String what, byte[] der) throws IOException {
    String text =
        "-----BEGIN %s-----\n%s\n-----END %s-----\n"
            .formatted(what, java.util.Base64.getMimeEncoder().encodeToString(der), what);
    return Files.writeString(folder.resolve(name), text);
  }

  @Test
  void aPortThatIsTakenIsOneClearLine() {
    try (var server = TestServer.start()) {
      ServerSettings d = TestServer.settings();
      var same = new Listen("127.0.0.1", server.server.port(), List.of(), null);
      assertThatThrownBy(
              () ->
                  Server.start(
                      with(same, d.admission(), d.operations()), _ -> noEngine(), System.err))
          .hasMessageContaining("cannot listen on 127.0.0.1:" + server.server.port());
    }
  }
}
