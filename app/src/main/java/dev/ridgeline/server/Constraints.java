package dev.ridgeline.server;

import dev.ridgeline.sampler.grammar.Constraint;
import dev.ridgeline.sampler.grammar.GrammarException;
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

  private final TokenTable tokens;

  /** With control tokens, which templates like to put around calls. */
  private final TokenTable withControl;

  private final Map<String, Constraint> kept =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Constraint> eldest) {
          return size() > KEPT;
        }
      };

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

  /** Calls of tools. */
  synchronized Constraint tools(String grammar) {
    return kept.computeIfAbsent("t" + grammar, _ -> Constraint.ofGbnf(grammar, withControl));
  }

  /** Texts of the grammar. */
  synchronized Constraint gbnf(String grammar) {
    return kept.computeIfAbsent("g" + grammar, _ -> Constraint.ofGbnf(grammar, tokens));
  }

  /** JSON texts of the schema. */
  synchronized Constraint schema(Map<String, ?> schema) {
    return kept.computeIfAbsent("s" + Json.text(schema), _ -> Constraint.ofSchema(schema, tokens));
  }

  /**
   * {@code params} with the constraint that {@code body} asks for, if it does.
   *
   * @throws ApiException 400 if the grammar or the schema cannot be used
   */
  static GenerateParams apply(Exchange exchange, Fields body, GenerateParams params) {
    Constraints constraints = exchange.core().constraints();
    String field = "grammar";
    try {
      Constraint constraint = null;
      String grammar = body.string("grammar");
      if (grammar != null && !grammar.isEmpty()) {
        constraint = constraints.gbnf(grammar);
      }
      for (String name : new String[] {"json_schema", "guided_json"}) {
        field = name;
        Fields schema = body.fields(name);
        constraint = schema == null ? constraint : constraints.schema(schema.asMap());
      }
      field = "response_format";
      Fields format = body.fields("response_format");
      if (format != null) {
        constraint = constraints.of(format, constraint);
      }
      return constraint == null ? params : with(params, constraint);
    } catch (GrammarException e) {
      throw ApiException.invalid(field, field + ": " + e.getMessage());
    }
  }

  static GenerateParams with(
      GenerateParams params, Supplier<dev.ridgeline.sampler.TokenMask> constraint) {
    // A text that has to be whole must be able to end.
    return params.toBuilder().constraint(constraint).ignoreEos(false).build();
  }

  /** {@code response_format} of the chat API, or {@code text.format} of the responses API. */
  @Nullable Constraint of(Fields format, @Nullable Constraint otherwise) {
    String type = format.requiredString("type");
    return switch (type) {
      case "text" -> otherwise;
      case "json_object" -> {
        Fields schema = format.fields("schema");
        yield schema(schema == null ? Map.of() : schema.asMap());
      }
      case "json_schema" -> {
        Fields wrapper = format.fields("json_schema");
        Fields schema = (wrapper == null ? format : wrapper).requiredFields("schema");
        yield schema(schema.asMap());
      }
      case "grammar" -> gbnf(format.requiredString("grammar"));
      default ->
          throw format.invalid(
              "type", "expected text, json_object, json_schema or grammar, found '%s'", type);
    };
  }
}
