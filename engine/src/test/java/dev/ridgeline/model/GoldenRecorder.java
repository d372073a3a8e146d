package dev.ridgeline.model;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Records the fixtures of {@link ModelGoldenTest}; no test of its own and run by {@code
 * dev/record-goldens} alone. The reference engine runs with exactly decoded weights, K and V in
 * float32 and without flash attention, so that what it rounds is little and known.
 */
class GoldenRecorder {
  private static final Path FIXTURES = Path.of("src/test/resources/dev/ridgeline/model/golden");
  private static final Path SMALL_MODEL =
      Path.of("src/test/resources/dev/ridgeline/models/draft-q8_0.gguf");
  private static final int TOP = 20;
  private static final int PLAIN_ID = 400;
  private static final JsonMapper JSON = new JsonMapper();

  @Test
  void record(@TempDir Path folder) throws Exception {
    String engine = System.getProperty("ridgeline.reference.engine");
    Assumptions.assumeTrue(engine != null, "dev/record-goldens runs this");
    for (GoldenCase golden : GoldenCase.ALL) {
      Path model = golden.model(folder);
      List<int[]> prompts = GoldenCase.LENGTHS.stream().map(GoldenCase::prompt).toList();
      record(golden.name(), engine, model, prompts, folder);
    }
    List<int[]> prompts =
        TrainedModel.read("draft").prompts().stream().map(TrainedModel.Prompt::ids).toList();
    record("draft-q8_0", engine, SMALL_MODEL.toAbsolutePath(), prompts, folder);
  }

  private static void record(
      String name, String engine, Path model, List<int[]> prompts, Path folder) throws Exception {
    // Decoded to float32: the reference engine would round activations for quantized weights.
    Path exact = folder.resolve("exact.gguf");
    run(engine + " quantize --allow-requantize " + model + " " + exact + " F32").waitFor();
    int port = freePort();
    Process server =
        run(
            "%s server -m %s --port %d -c 512 -np 1 -t 2 -fa off -ctk f32 -ctv f32 --no-warmup"
                .formatted(engine, exact, port));
    try (HttpClient http = HttpClient.newHttpClient()) {
      awaitReady(http, port, server);
      var results = new ArrayList<GoldenFixture.Prompt>();
      for (int[] prompt : prompts) {
        results.add(new GoldenFixture.Prompt(prompt, top(http, port, prompt)));
      }
      var fixture =
          new GoldenFixture(GoldenCase.sha256(model), results.toArray(GoldenFixture.Prompt[]::new));
      String lines = JSON.writeValueAsString(fixture).replace("{\"ids", "\n{\"ids");
      Files.writeString(FIXTURES.resolve(name + ".json"), lines + "\n");
    } finally {
      server.descendants().forEach(ProcessHandle::destroy);
      server.destroy();
      server.waitFor();
    }
  }

  private static Process run(String command) throws IOException {
    return new ProcessBuilder(command.split(" ")).inheritIO().start();
  }

  /** The most likely next tokens, before any sampling. */
  private static GoldenFixture.Token[] top(HttpClient http, int port, int[] prompt)
      throws IOException, InterruptedException {
    // The bias makes it answer with an id that is text; it is not part of the probabilities, which
    // are left out where an answer ends the text or is half a character.
    int[][] bias = {{PLAIN_ID, 1000}};
    String body =
        JSON.writeValueAsString(
            Map.of("prompt", prompt, "n_predict", 1, "n_probs", TOP, "logit_bias", bias));
    var request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/completion"))
            .POST(BodyPublishers.ofString(body))
            .build();
    var response = http.send(request, BodyHandlers.ofString());
    if (response.statusCode() != 200) {
      throw new IOException("status " + response.statusCode() + ": " + response.body());
    }
    JsonNode first = JSON.readTree(response.body()).get("completion_probabilities").get(0);
    var tokens = new ArrayList<GoldenFixture.Token>();
    for (JsonNode token : first.get("top_logprobs")) {
      tokens.add(new GoldenFixture.Token(token.get("id").asInt(), token.get("logprob").asDouble()));
    }
    return tokens.toArray(GoldenFixture.Token[]::new);
  }

  private static void awaitReady(HttpClient http, int port, Process server) throws Exception {
    var request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/health"))
            .timeout(Duration.ofSeconds(5))
            .build();
    for (int attempt = 0; attempt < 300; attempt++) {
      try {
        if (http.send(request, BodyHandlers.discarding()).statusCode() == 200) {
          return;
        }
      } catch (java.net.ConnectException e) {
        if (!server.isAlive()) {
          throw new IOException("the reference engine ended with " + server.exitValue(), e);
        }
      }
      server.waitFor(Duration.ofMillis(200));
    }
    throw new IOException("the reference engine was not ready within a minute");
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
