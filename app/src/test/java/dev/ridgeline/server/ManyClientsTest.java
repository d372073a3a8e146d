package dev.ridgeline.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.scheduler.EngineListener;
import dev.ridgeline.scheduler.RequestStats;
import dev.ridgeline.scheduler.StepStats;
import dev.ridgeline.server.ServerSettings.Operations;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** What clients are to each other: shares, urgency, preemption, one that does not read. */
@Timeout(240)
class ManyClientsTest {
  private static void await(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) {
      Thread.sleep(5);
    }
  }

  private static JsonNode engine(TestServer server) {
    return server.get("/engine").json();
  }

  private static ServerSettings settings(ServerSettings.Limits limits, Operations operations) {
    ServerSettings d = TestServer.settings();
    return new ServerSettings(d.listen(), limits, d.admission(), operations, d.models());
  }

  private static CompletableFuture<Void> ask(
      TestServer server, String key, String more, Runnable whenDone) {
    HttpRequest request =
        server
            .request("/v1/completions")
            .header("Content-Type", "application/json")
            .header("Authorization", "Bearer " + key)
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    "{\"prompt\":\"Once\",\"max_tokens\":40,\"ignore_eos\":true" + more + "}"))
            .build();
    return CompletableFuture.runAsync(
        () -> {
          assertThat(server.send(request).status()).isEqualTo(200);
          whenDone.run();
        });
  }

  @Test
  void keysShareThePlacesAndTheUrgentGoFirst(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("keys"), "many k1\nfew k2\n");
    ServerSettings d = TestServer.settings();
    Operations o = d.operations();
    var operations = new Operations(file, false, false, o.drain(), o.stuckStep());
    var go = new CountDownLatch(1);
    var hold = new Hold(go);
    try (var server =
        TestServer.start(settings(d.limits(), operations), b -> b.parallel(1).listeners(hold))) {
      var order = Collections.synchronizedList(new ArrayList<String>());
      var all = new ArrayList<CompletableFuture<Void>>();
      hold.holding = true;
      for (int i = 0; i < 6; i++) {
        all.add(ask(server, "k1", "", () -> order.add("many")));
      }
      await(() -> hold.isHeld()); // one of them runs, and stands still
      all.add(ask(server, "k2", "", () -> order.add("few")));
      all.add(ask(server, "k1", ",\"priority\":-1", () -> order.add("urgent")));
      await(() -> server.server.requestsUnderWay() == 8);
      go.countDown();
      for (var future : all) {
        future.get();
      }
      // Requests reach the queue in any order, but all are there before the first one ends.
      assertThat(order.indexOf("urgent")).as(order.toString()).isLessThanOrEqualTo(1);
      assertThat(order.indexOf("few")).as(order.toString()).isLessThanOrEqualTo(2);
    }
  }

  /** Stops the engine after a step, until it is let go. */
  private static final class Hold implements EngineListener {
    private final CountDownLatch go;
    private final CountDownLatch held = new CountDownLatch(1);
    volatile boolean holding;

    Hold(CountDownLatch go) {
      this.go = go;
    }

    boolean isHeld() {
      return held.getCount() == 0;
    }

    @Override
    public void onStep(StepStats stats) {
      if (holding) {
        held.countDown();
        try {
          go.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
      }
    }

    @Override
    public void onFinish(RequestStats stats) {}
  }

  @Test
  void aStepThatHangsIsToldAndNothingElseHangs() throws Exception {
    ServerSettings d = TestServer.settings();
    Operations o = d.operations();
    var operations = new Operations(null, false, false, o.drain(), Duration.ofMillis(200));
    var go = new CountDownLatch(1);
    var hold = new Hold(go);
    try (var server = TestServer.start(settings(d.limits(), operations), b -> b.listeners(hold))) {
      assertThat(server.get("/livez").status()).isEqualTo(200);
      hold.holding = true;
      var answer =
          CompletableFuture.supplyAsync(
              () -> server.post("/v1/completions", "{'prompt':'a','max_tokens':2}"));
      await(() -> server.get("/livez").status() == 503);
      assertThat(server.get("/livez").json().get("status").asString()).isEqualTo("a step hangs");
      await(() -> server.log().contains("stuck_step"));
      assertThat(server.get("/metrics").text()).contains("vllm:num_requests_running 1");
      go.countDown();
      assertThat(answer.get().status()).isEqualTo(200);
      await(() -> server.get("/livez").status() == 200);
    }
  }

  /** A connection that asks for megabytes and reads nothing of them. */
  private static Socket silent(int port, boolean stream) throws IOException {
    var socket = new Socket();
    socket.setReceiveBufferSize(4096);
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    byte[] body =
        ("{\"messages\":[{\"role\":\"user\",\"content\":\"Once\"}],\"max_tokens\":300,\"n\":32,"
                + "\"ignore_eos\":true,\"logprobs\":true,\"top_logprobs\":20,\"stream\":"
                + stream
                + "}")
            .getBytes(StandardCharsets.UTF_8);
    String head =
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            + "Content-Length: "
            + body.length
            + "\r\n\r\n";
    socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
    socket.getOutputStream().write(body);
    return socket;
  }

  @Test
  void aClientThatDoesNotReadIsCutOffAndHoldsUpNobody() throws Exception {
    ServerSettings d = TestServer.settings();
    var l = d.limits();
    var limits =
        new ServerSettings.Limits(
            l.bodyBytes(),
            l.headerBytes(),
            l.choices(),
            l.time(),
            Duration.ofMillis(500),
            l.connections());
    try (var server = TestServer.start(settings(limits, d.operations()), b -> b.parallel(32))) {
      int port = server.server.port();
      int cut = 0;
      for (boolean stream : new boolean[] {true, false}) {
        cut++;
        int expected = cut;
        try (Socket silent = silent(port, stream)) {
          await(() -> engine(server).get("running").asInt() > 0);
          assertThat(server.post("/v1/completions", "{'prompt':'a','max_tokens':2}").status())
              .isEqualTo(200);
          await(
              () -> server.log().lines().filter(x -> x.contains("status=499")).count() == expected);
          assertThat(server.log().lines().filter(x -> x.contains("slow_readers"))).hasSize(cut);
          assertThat(silent.isConnected()).isTrue();
        }
        await(() -> engine(server).get("running").asInt() == 0);
        assertThat(engine(server).get("kv").get("in_use").asInt()).isZero();
      }
    }
  }

  @Test
  void aTextIsTheSameAloneInACrowdAndPreempted() throws Exception {
    String body =
        "{'prompt':'%s','max_tokens':150,'ignore_eos':true,'seed':%d,'temperature':1.5,'cache_prompt':false}";
    List<String> prompts = List.of("Once upon a time", "The king", "In the year", "She said");
    try (var server =
        TestServer.start(TestServer.settings(), b -> b.context(256).kvTokens(512).parallel(12))) {
      var alone = new ArrayList<String>();
      for (int i = 0; i < 12; i++) {
        alone.add(text(server, body.formatted(prompts.get(i % 4), i)));
      }
      assertThat(server.metric("ridgeline_preemptions_total")).isZero();
      var together = new ArrayList<CompletableFuture<String>>();
      for (int i = 0; i < 12; i++) {
        String json = body.formatted(prompts.get(i % 4), i);
        together.add(
            CompletableFuture.supplyAsync(() -> text(server, json), Thread::startVirtualThread));
      }
      for (int i = 0; i < 12; i++) {
        assertThat(together.get(i).get()).isEqualTo(alone.get(i));
      }
      assertThat(server.metric("ridgeline_preemptions_total")).isPositive();
      assertThat(server.log()).contains("mostly=\"computing again what was preempted");
    }
  }

  private static String text(TestServer server, String body) {
    JsonNode answer = server.post("/v1/completions", body).json();
    assertThat(answer.has("choices")).as(answer.toString()).isTrue();
    return answer.get("choices").get(0).get("text").asString();
  }
}
