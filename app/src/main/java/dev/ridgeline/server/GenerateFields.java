package dev.ridgeline.server;

import dev.ridgeline.sampler.SamplingParams;
import dev.ridgeline.sampler.SamplingParams.Dry;
import dev.ridgeline.sampler.SamplingParams.Mirostat;
import dev.ridgeline.sampler.SamplingParams.Penalties;
import dev.ridgeline.sampler.SamplingParams.Xtc;
import dev.ridgeline.scheduler.GenerateParams;
import dev.ridgeline.scheduler.GenerateParams.Scheduling;
import dev.ridgeline.tokenizer.Tokenizer;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The fields of a request that say how to generate: OpenAI's, and for the other samplers those of
 * llama.cpp's server and vLLM. Ranges are checked by the records that they end up in.
 */
final class GenerateFields {
  private static final SamplingParams D = SamplingParams.DEFAULTS;

  private final Fields body;

  private GenerateFields(Fields body) {
    this.body = body;
  }

  /**
   * Reads {@code body}.
   *
   * @param topLogprobs how many to report, or -1
   * @param maxTokens most tokens, or -1
   */
  static GenerateParams read(Exchange exchange, Fields body, int topLogprobs, int maxTokens) {
    var fields = new GenerateFields(body);
    if (maxTokens == 0 || maxTokens < -1) {
      throw ApiException.invalid(
          "max_tokens", "max_tokens: expected 1 or more, found " + maxTokens);
    }
    return GenerateParams.builder()
        .sampling(fields.sampling(topLogprobs))
        .maxTokens(maxTokens)
        .stop(body.strings("stop").toArray(String[]::new))
        .stopTokens(fields.stopTokens())
        .ignoreEos(body.bool("ignore_eos", false))
        .scheduling(fields.scheduling(exchange))
        .build();
  }

  /** Most tokens to generate, by whatever name a protocol or server has for it; else -1. */
  static int maxTokens(Fields body) {
    for (String name :
        List.of("max_completion_tokens", "max_output_tokens", "max_tokens", "n_predict")) {
      if (body.has(name)) {
        // 0 is refused by who asked for it; -1 is llama.cpp's "as many as fit"
        return body.integer(name, -1, Integer.MAX_VALUE, -1);
      }
    }
    return -1;
  }

  private SamplingParams sampling(int topLogprobs) {
    return new SamplingParams(
        body.number("temperature", D.temperature()),
        body.integer("top_k", -1, Integer.MAX_VALUE, D.topK()),
        body.number("top_p", D.topP()),
        body.number("min_p", D.minP()),
        body.number("typical_p", body.number("typ_p", D.typicalP())),
        penalties(),
        dry(),
        new Xtc(
            body.number("xtc_probability", D.xtc().probability()),
            body.number("xtc_threshold", D.xtc().threshold())),
        mirostat(),
        biases(),
        seed(),
        topLogprobs);
  }

  private @Nullable Long seed() {
    Long seed = body.integer("seed");
    return seed == null || seed == -1 ? null : seed;
  }

  private Penalties penalties() {
    Penalties none = D.penalties();
    float repeat = body.number("repeat_penalty", body.number("repetition_penalty", none.repeat()));
    return new Penalties(
        body.integer("repeat_last_n", -1, Integer.MAX_VALUE, none.lastN()),
        repeat,
        body.number("frequency_penalty", none.frequency()),
        body.number("presence_penalty", none.presence()));
  }

  private Dry dry() {
    Dry none = D.dry();
    List<String> breakers =
        body.has("dry_sequence_breakers")
            ? body.strings("dry_sequence_breakers")
            : none.sequenceBreakers();
    return new Dry(
        body.number("dry_multiplier", none.multiplier()),
        body.number("dry_base", none.base()),
        body.integer("dry_allowed_length", 1, Integer.MAX_VALUE, none.allowedLength()),
        body.integer("dry_penalty_last_n", -1, Integer.MAX_VALUE, none.lastN()),
        breakers);
  }

  private @Nullable Mirostat mirostat() {
    int version = body.integer("mirostat", 0, 2, 0);
    if (version == 1) {
      throw body.invalid("mirostat", "expected 0 (off) or 2, found 1");
    }
    return version == 0
        ? null
        : new Mirostat(
            body.number("mirostat_tau", Mirostat.DEFAULTS.tau()),
            body.number("mirostat_eta", Mirostat.DEFAULTS.eta()));
  }

  /** OpenAI's object from id to bias, or llama.cpp's array of pairs, false forbidding a token. */
  private Map<Integer, Float> biases() {
    JsonNode node = body.any("logit_bias");
    var biases = new HashMap<Integer, Float>();
    if (node == null) {
      return biases;
    }
    if (node.isObject()) {
      Fields of = new Fields((tools.jackson.databind.node.ObjectNode) node, "logit_bias");
      for (String key : node.propertyNames()) {
        biases.put(id(key), of.number(key, 0));
      }
      return biases;
    }
    for (JsonNode pair : body.array("logit_bias")) {
      boolean valid = pair.isArray() && pair.size() == 2 && pair.get(0).isIntegralNumber();
      if (!valid || !(pair.get(1).isNumber() || pair.get(1).isBoolean())) {
        throw body.wrong("logit_bias", "an object of token ids to numbers", pair);
      }
      JsonNode bias = pair.get(1);
      biases.put(
          pair.get(0).asInt(),
          bias.isBoolean() ? Float.NEGATIVE_INFINITY : (float) bias.asDouble());
    }
    return biases;
  }

  private int id(String key) {
    try {
      return Integer.parseInt(key);
    } catch (NumberFormatException e) {
      throw body.invalid("logit_bias", "expected token ids as keys, found '%s'", key);
    }
  }

  private Set<Integer> stopTokens() {
    var ids = new HashSet<Integer>();
    JsonNode array = body.any("stop_token_ids");
    if (array != null) {
      body.array("stop_token_ids");
      for (int id : Fields.ids(array, "stop_token_ids")) {
        ids.add(id);
      }
    }
    return ids;
  }

  private Scheduling scheduling(Exchange exchange) {
    Duration most = exchange.core().settings.limits().time();
    Double wanted = body.number("timeout");
    if (wanted != null && wanted <= 0) {
      throw body.invalid("timeout", "expected a positive number of seconds, found %s", wanted);
    }
    double seconds = Math.min(most.toMillis() / 1e3, wanted == null ? Double.MAX_VALUE : wanted);
    Duration limit = Duration.ofNanos(Math.max(1, (long) (seconds * 1e9)));
    String salt = body.string("cache_salt");
    boolean cached = body.bool("cache_prompt", true);
    long cacheSalt = salt == null ? 0 : salt.hashCode() * 0x9E3779B97F4A7C15L | 1;
    return new Scheduling(
        body.integer("priority", -1000, 1000, 0),
        exchange.client(),
        cached ? cacheSalt : System.nanoTime() | 1,
        limit);
  }

  /** A text as the ids of a prompt, names of special tokens in it being these. */
  static int[] encode(Tokenizer tokenizer, String text) {
    return tokenizer.encode(text, Tokenizer.Bos.AUTO, true);
  }
}
