package dev.ridgeline.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.EngineOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import tools.jackson.databind.JsonNode;

/** A server on a free port with the built-in model, and a client for it. */
final class TestServer implements AutoCloseable {
  static final Path MODEL =
      Path.of("../builtin/src/main/resources/dev/ridgeline/builtin/stories-q4_k_m.gguf");

  private static final Duration PATIENCE = Duration.ofMinutes(2);

  final HttpClient client = HttpClient.newHttpClient();
  final Server server;
  private final ByteArrayOutputStream log = new ByteArrayOutputStream();

  /** An answer. */
  record Answer(int status, HttpResponse<String> response) {
    JsonNode json() {
      return Json.MAPPER.readTree(response.body());
    }

    String text() {
      return response.body();
    }

    /** The JSON of each event but the last word. */
    List<JsonNode> events() {
      var events = new ArrayList<JsonNode>();
      for (String line : response.body().split("\n", -1)) {
        if (line.startsWith("data: ") && !line.equals("data: [DONE]")) {
          events.add(Json.MAPPER.readTree(line.substring(6)));
        }
      }
      return events;
    }

    /** An error in OpenAI's form that names {@code param} and says {@code parts}. */
    void isError(int expected, String param, String... parts) {
      assertThat(status).as(text()).isEqualTo(expected);
      JsonNode error = json().get("error");
      assertThat(error.get("message").asString()).contains(parts);
      assertThat(error.path("param").asString("")).isEqualTo(param);
    }
  }

  private TestServer(ServerSettings settings, UnaryOperator<EngineOptions.Builder> options) {
    server =
        Server.start(
            settings,
            listener ->
                Engine.open(
                    MODEL,
                    options
                        .apply(
                            EngineOptions.builder().backend("cpu").parallel(16).listeners(listener))
                        .build()),
            new PrintStream(log, true, StandardCharsets.UTF_8));
  }

  static ServerSettings settings() {
    ServerSettings d = ServerSettings.DEFAULTS;
    return new ServerSettings(
        new ServerSettings.Listen("127.0.0.1", 0, List.of(), null),
        d.limits(),
        d.admission(),
        d.operations(),
        d.models());
  }

  /** A server that is ready. */
  static TestServer start() {
    return start(settings(), o -> o);
  }

  static TestServer start(ServerSettings settings, UnaryOperator<EngineOptions.Builder> options) {
    var started = new TestServer(settings, options);
    try {
      started.server.awaitReady();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return started;
  }

  /** A server that may not be ready yet. */
  static TestServer startLoading(
      ServerSettings settings, UnaryOperator<EngineOptions.Builder> options) {
    return new TestServer(settings, options);
  }

  String log() {
    return log.toString(StandardCharsets.UTF_8);
  }

  URI uri(String path) {
    return URI.create(server.url() + path);
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(uri(path)).timeout(PATIENCE);
  }

  Answer send(HttpRequest request) {
    try {
      HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
      return new Answer(response.statusCode(), response);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  Answer get(String path) {
    return send(request(path).build());
  }

  /** Posts JSON in which single quotes stand for double ones. */
  Answer post(String path, String json) {
    return postExact(path, json.replace('\'', '"'));
  }

  Answer postExact(String path, String json) {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(json))
            .build());
  }

  /** One value of {@code /metrics}. */
  double metric(String name) {
    return get("/metrics")
        .text()
        .lines()
        .filter(l -> l.startsWith(name + " ") || l.startsWith(name + "{"))
        .mapToDouble(l -> Double.parseDouble(l.substring(l.lastIndexOf(' ') + 1)))
        .sum();
  }

  @Override
  public void close() {
    server.close();
    client.close();
  }
}
