package dev.ridgeline.server;

import dev.ridgeline.scheduler.Engine;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** {@code POST /v1/embeddings}: vectors of texts. */
final class EmbeddingsEndpoint {
  private EmbeddingsEndpoint() {}

  private record Answer(String object, String model, List<Embedding> data, Usage usage) {}

  private record Embedding(String object, int index, Object embedding) {}

  private record Usage(int promptTokens, int totalTokens) {}

  static void handle(Exchange exchange) {
    Fields body = exchange.body();
    Engine engine = exchange.core().engine();
    exchange.core().checkModel(body);
    if (!engine.embeds()) {
      throw ApiException.invalid(
          null, "this server makes no embeddings; start it with --embeddings");
    }
    String format = body.string("encoding_format", "float");
    if (!format.equals("float") && !format.equals("base64")) {
      throw body.invalid("encoding_format", "expected float or base64, found '%s'", format);
    }
    int width = engine.model().hyperparameters().embeddingLength();
    if (body.has("dimensions") && body.integer("dimensions", 1, 1 << 20, width) != width) {
      throw body.invalid("dimensions", "expected %d, which is all this model has", width);
    }
    var data = new ArrayList<Embedding>();
    int tokens = 0;
    for (int[] ids : inputs(exchange, engine, body)) {
      float[] vector = engine.embed(ids);
      data.add(
          new Embedding(
              "embedding", data.size(), format.equals("float") ? vector : base64(vector)));
      tokens += ids.length;
    }
    exchange.send(new Answer("list", exchange.core().model(), data, new Usage(tokens, tokens)));
  }

  private static String base64(float[] vector) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * vector.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(vector);
    return Base64.getEncoder().encodeToString(bytes.array());
  }

  /** A text, some texts, the ids of one or those of some. */
  private static List<int[]> inputs(Exchange exchange, Engine engine, Fields body) {
    JsonNode input = body.any("input");
    if (input == null) {
      throw body.missing("input", "a string, an array of strings, or token ids");
    }
    var all = new ArrayList<int[]>();
    if (input.isString()) {
      all.add(GenerateFields.encode(engine.tokenizer(), input.asString()));
      return all;
    }
    List<JsonNode> array = body.array("input");
    if (array.isEmpty() || array.size() > exchange.core().settings.limits().choices() * 16) {
      throw body.invalid(
          "input",
          "expected 1 to %d texts, found %d",
          exchange.core().settings.limits().choices() * 16,
          array.size());
    }
    if (array.getFirst().isNumber()) {
      all.add(Fields.ids(input, "input"));
      return all;
    }
    for (int i = 0; i < array.size(); i++) {
      JsonNode element = array.get(i);
      if (element.isString()) {
        all.add(GenerateFields.encode(engine.tokenizer(), element.asString()));
      } else if (element.isArray()) {
        all.add(Fields.ids(element, "input[" + i + "]"));
      } else {
        throw body.wrong("input[" + i + "]", "a string or an array of token ids", element);
      }
    }
    return all;
  }
}
