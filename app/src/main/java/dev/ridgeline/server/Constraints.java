package dev.ridgeline.server;

import dev.ridgeline.sampler.grammar.Constraint;
import dev.ridgeline.sampler.grammar.GrammarException;
import dev.ridgeline.sampler.grammar.JsonSchema;
import dev.ridgeline.sampler.grammar.TokenTable;
import dev.ridgeline.scheduler.GenerateParams;
import dev.ridgeline.tokenizer.TokenKind;
import dev.ridgeline.tokenizer.Tokenizer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What requests demand of the form of their answers. The constraints used last are kept: what they
 * have worked out serves the next request with the same schema.
 */
final class Constraints {
  private static final int KEPT = 64;
  private static final long KEPT_BYTES = 64 << 20;

  private final TokenTable tokens;

  /** With control tokens, which templates like to put around calls. */
  private final TokenTable withControl;

  /** By their grammars, the one used last at the end. */
  private final LinkedHashMap<String, Constraint> kept = new LinkedHashMap<>(16, 0.75f, true);

  Constraints(Tokenizer tokenizer) {
    tokens = table(tokenizer, false);
    withControl = table(tokenizer, true);
  }

  private static TokenTable table(Tokenizer tokenizer, boolean control) {
    return new TokenTable(
        tokenizer.size(),
        tokenizer::bytes,
        id -> {
          TokenKind kind = tokenizer.kind(id);
          return kind != TokenKind.UNKNOWN && (control || kind != TokenKind.CONTROL);
        },
        tokenizer.ends());
  }

  /**
   * What an answer must look like.
   *
   * @param field that demands it
   * @param gbnf its grammar
   */
  record Form(String field, String gbnf) {}

  /**
   * Texts of the grammar.
   *
   * @param control whether control tokens may spell it, too
   * @throws ApiException 400 if it cannot be used
   */
  synchronized Constraint of(Form form, boolean control) {
    try {
      Constraint constraint =
          kept.computeIfAbsent(
              (control ? "+" : "-") + form.gbnf,
              _ -> Constraint.ofGbnf(form.gbnf, control ? withControl : tokens));
      while (kept.size() > 1 && (kept.size() > KEPT || bytes() > KEPT_BYTES)) {
        kept.pollFirstEntry();
      }
      return constraint;
    } catch (GrammarException e) {
      throw refused(form.field, e);
    }
  }

  private long bytes() {
    return kept.values().stream().mapToLong(Constraint::bytes).sum();
  }

  private static ApiException refused(String field, GrammarException e) {
    return ApiException.invalid(field, field + ": " + e.getMessage());
  }

  /**
   * The form that a request demands of its answers; null if none.
   *
   * @throws ApiException 400 if it cannot be enforced
   */
  static @Nullable Form form(Fields body) {
    Form form = null;
    String grammar = body.string("grammar");
    if (grammar != null && !grammar.isEmpty()) {
      form = new Form("grammar", grammar);
    }
    for (String name : new String[] {"json_schema", "guided_json"}) {
      Fields schema = body.fields(name);
      form = schema == null ? form : schema(name, schema.asMap());
    }
    Fields format = body.fields("response_format");
    return format == null ? form : form("response_format", format, form);
  }

  /** {@code response_format} of the chat API, or {@code text.format} of the responses API. */
  static @Nullable Form form(String field, Fields format, @Nullable Form otherwise) {
    String type = format.requiredString("type");
    return switch (type) {
      case "text" -> otherwise;
      case "json_object" -> {
        Fields schema = format.fields("schema");
        yield schema(field, schema == null ? Map.of() : schema.asMap());
      }
      case "json_schema" -> {
        Fields wrapper = format.fields("json_schema");
        Fields schema = (wrapper == null ? format : wrapper).requiredFields("schema");
        yield schema(field, schema.asMap());
      }
      case "grammar" -> new Form(field, format.requiredString("grammar"));
      default ->
          throw format.invalid(
              "type", "expected text, json_object, json_schema or grammar, found '%s'", type);
    };
  }

  private static Form schema(String field, Map<String, ?> schema) {
    try {
      return new Form(field, JsonSchema.toGbnf(schema));
    } catch (GrammarException e) {
      throw refused(field, e);
    }
  }

  /** {@code params} held to {@code form}, if there is one. */
  GenerateParams apply(@Nullable Form form, GenerateParams params) {
    return form == null ? params : with(params, of(form, false));
  }

  static GenerateParams with(
      GenerateParams params, Supplier<dev.ridgeline.sampler.TokenMask> constraint) {
    // A text that has to be whole must be able to end.
    return params.toBuilder().constraint(constraint).ignoreEos(false).build();
  }
}
