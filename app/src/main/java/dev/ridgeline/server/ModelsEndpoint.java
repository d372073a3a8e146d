package dev.ridgeline.server;

import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.server.ApiException.Kind;
import java.util.List;

/** {@code GET /v1/models} and {@code /v1/models/NAME}. */
final class ModelsEndpoint {
  private ModelsEndpoint() {}

  private record Models(String object, List<Model> data) {}

  private record Model(
      String id, String object, long created, String ownedBy, int maxModelLen, Meta meta) {}

  private record Meta(int vocabularySize, int trainedContext, int embeddingLength) {}

  static void list(Exchange exchange) {
    Engine engine = exchange.core().engine();
    exchange.send(
        new Models(
            "list",
            exchange.core().models().stream().map(name -> model(exchange, engine, name)).toList()));
  }

  static void one(Exchange exchange) {
    Engine engine = exchange.core().engine();
    String name = exchange.request().path().pathParameters().get("name");
    if (!exchange.core().models().contains(name)) {
      throw ApiException.of(Kind.NOT_FOUND, "the model '" + name + "' does not exist");
    }
    exchange.send(model(exchange, engine, name));
  }

  private static Model model(Exchange exchange, Engine engine, String name) {
    var h = engine.model().hyperparameters();
    return new Model(
        name,
        "model",
        exchange.core().startedSeconds,
        "ridgeline",
        engine.plan().capacity().maxContext(),
        new Meta(engine.tokenizer().size(), h.contextLength(), h.embeddingLength()));
  }
}
