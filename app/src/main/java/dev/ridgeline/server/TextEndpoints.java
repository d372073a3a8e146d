package dev.ridgeline.server;

import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * {@code POST /tokenize}, {@code /detokenize} and {@code /apply-template}: what the model sees.
 * They take and give what llama.cpp's server does, and vLLM's names beside.
 */
final class TextEndpoints {
  private TextEndpoints() {}

  private record Tokens(List<?> tokens, int count, int maxModelLen) {}

  private record Piece(int id, String piece) {}

  private record Text(String content, String prompt) {}

  private record Prompt(String prompt) {}

  static void tokenize(Exchange exchange) {
    Fields body = exchange.body();
    Engine engine = exchange.core().engine();
    Tokenizer tokenizer = engine.tokenizer();
    String text = body.string("content", body.string("prompt", ""));
    int[] ids;
    if (body.has("messages")) {
      var chat = ChatPlan.chatPrompt(engine);
      ids =
          chat.encode(
              ChatPlan.render(chat, body, ChatMessages.read(body), ChatMessages.tools(body)));
    } else if (body.has("content") || body.has("prompt")) {
      boolean bos = body.bool("add_special", body.bool("add_special_tokens", body.has("prompt")));
      ids =
          tokenizer.encode(
              text, bos ? Tokenizer.Bos.AUTO : Tokenizer.Bos.NO, body.bool("parse_special", true));
    } else {
      throw body.missing("content", "a string, or 'messages'");
    }
    boolean pieces = body.bool("with_pieces", false);
    var tokens = new ArrayList<Object>();
    for (int id : ids) {
      tokens.add(pieces ? new Piece(id, tokenizer.piece(id)) : (Object) id);
    }
    exchange.send(new Tokens(tokens, ids.length, engine.plan().capacity().maxContext()));
  }

  static void detokenize(Exchange exchange) {
    Fields body = exchange.body();
    Tokenizer tokenizer = exchange.core().engine().tokenizer();
    JsonNode tokens = body.any("tokens");
    if (tokens == null || !tokens.isArray()) {
      throw body.missing("tokens", "an array of token ids");
    }
    int[] ids = Fields.ids(tokens, "tokens");
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= tokenizer.size()) {
        throw body.invalid(
            "tokens[" + i + "]", "expected 0 to %d, found %d", tokenizer.size() - 1, ids[i]);
      }
    }
    String text = tokenizer.decode(ids);
    exchange.send(new Text(text, text));
  }

  static void applyTemplate(Exchange exchange) {
    Fields body = exchange.body();
    var chat = ChatPlan.chatPrompt(exchange.core().engine());
    exchange.send(
        new Prompt(ChatPlan.render(chat, body, ChatMessages.read(body), ChatMessages.tools(body))));
  }
}
