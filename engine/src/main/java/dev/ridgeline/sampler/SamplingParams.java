package dev.ridgeline.sampler;

import static dev.ridgeline.sampler.InvalidParameterException.require;
import static dev.ridgeline.sampler.InvalidParameterException.requireWithin;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How the next token is chosen. The defaults are those of llama.cpp's programs. Applied in this
 * order: constraint, logit bias, penalties, DRY, top-k, typical-p, top-p, min-p, XTC, temperature,
 * draw; with mirostat: constraint, logit bias, penalties, DRY, temperature, mirostat 2.
 *
 * @param temperature logits are divided by it before the draw; 0 takes the largest logit after the
 *     penalties and ignores everything below
 * @param topK keeps the k largest logits; 0 or -1 keeps all
 * @param topP keeps the most probable tokens until their sum reaches this; 1 keeps all
 * @param minP keeps tokens at least this times as probable as the most probable one; 0 keeps all
 * @param typicalP locally typical sampling (Meister et al. 2022): keeps the tokens whose surprise
 *     is nearest to the entropy until their sum exceeds this; 1 keeps all
 * @param penalties against repeated tokens
 * @param dry against repeated passages
 * @param xtc against the most probable tokens
 * @param mirostat replaces top-k, typical-p, top-p, min-p and XTC; null = off
 * @param logitBias added to the logits of these tokens; negative infinity forbids one
 * @param seed of the draws; null = a random one
 * @param topLogprobs how many most probable tokens to report beside the chosen one's
 *     log-probability; -1 reports nothing
 */
public record SamplingParams(
    float temperature,
    int topK,
    float topP,
    float minP,
    float typicalP,
    Penalties penalties,
    Dry dry,
    Xtc xtc,
    @Nullable Mirostat mirostat,
    Map<Integer, Float> logitBias,
    @Nullable Long seed,
    int topLogprobs) {

  /** llama.cpp's defaults: temperature 0.8, top-k 40, top-p 0.95, min-p 0.05, nothing else. */
  public static final SamplingParams DEFAULTS =
      new SamplingParams(
          0.8f, 40, 0.95f, 0.05f, 1, Penalties.NONE, Dry.NONE, Xtc.NONE, null, Map.of(), null, -1);

  /** Always the largest logit. */
  public static final SamplingParams GREEDY = DEFAULTS.toBuilder().temperature(0).build();

  /** Checks every range. */
  public SamplingParams {
    requireWithin(0, 1e6f, "temperature", temperature);
    require(topK >= -1, "topK", "-1 or more", topK);
    requireWithin(0, 1, "topP", topP);
    requireWithin(0, 1, "minP", minP);
    requireWithin(0, 1, "typicalP", typicalP);
    logitBias = Map.copyOf(logitBias);
    logitBias.forEach(
        (id, bias) -> {
          require(id >= 0, "logitBias", "token ids of 0 or more", id);
          require(bias < 1e6, "logitBias[" + id + "]", "-Infinity to 1e6", bias);
        });
    require(topLogprobs >= -1, "topLogprobs", "-1 or more", topLogprobs);
  }

  /**
   * Penalties against tokens of the last {@code lastN} ones, the prompt included: a positive logit
   * is divided by {@code repeat}, a negative one multiplied (Keskar et al. 2019, with the sign
   * mended); then {@code count * frequency + presence} is subtracted.
   *
   * @param lastN window in tokens; 0 = off, -1 = everything so far
   * @param repeat 1 = off
   * @param frequency 0 = off
   * @param presence 0 = off
   */
  public record Penalties(int lastN, float repeat, float frequency, float presence) {
    /** A window of 64 and nothing penalized. */
    public static final Penalties NONE = new Penalties(64, 1, 0, 0);

    /** Checks every range. */
    public Penalties {
      require(lastN >= -1, "penalties.lastN", "-1 or more", lastN);
      requireWithin(1e-3f, 1e3f, "penalties.repeat", repeat);
      requireWithin(-1e6f, 1e6f, "penalties.frequency", frequency);
      requireWithin(-1e6f, 1e6f, "penalties.presence", presence);
    }

    boolean active() {
      return lastN != 0 && (repeat != 1 || frequency != 0 || presence != 0);
    }
  }

  /**
   * "Don't repeat yourself" (p-e-w, text-generation-webui pull request 5677): a token that would
   * continue a passage of {@code n >= allowedLength} tokens already seen loses {@code multiplier *
   * base^(n - allowedLength)}.
   *
   * @param multiplier 0 = off
   * @param base 1 or more
   * @param allowedLength repeats shorter than this are free
   * @param lastN window in tokens; 0 = off, -1 = everything so far
   * @param sequenceBreakers texts that end a passage; 1 to 40 characters each
   */
  public record Dry(
      float multiplier, float base, int allowedLength, int lastN, List<String> sequenceBreakers) {
    /** Off; llama.cpp's values for the rest. */
    public static final Dry NONE = new Dry(0, 1.75f, 2, -1, List.of("\n", ":", "\"", "*"));

    private static final int MAX_BREAKERS = 64;
    private static final int MAX_BREAKER_CHARS = 40;

    /** Checks every range. */
    public Dry {
      requireWithin(0, 1e6f, "dry.multiplier", multiplier);
      requireWithin(1, 1e6f, "dry.base", base);
      require(allowedLength >= 1, "dry.allowedLength", "1 or more", allowedLength);
      require(lastN >= -1, "dry.lastN", "-1 or more", lastN);
      sequenceBreakers = List.copyOf(sequenceBreakers);
      require(
          sequenceBreakers.size() <= MAX_BREAKERS,
          "dry.sequenceBreakers",
          "at most " + MAX_BREAKERS,
          sequenceBreakers.size());
      for (String breaker : sequenceBreakers) {
        require(
            !breaker.isEmpty() && breaker.length() <= MAX_BREAKER_CHARS,
            "dry.sequenceBreakers",
            "texts of 1 to " + MAX_BREAKER_CHARS + " characters",
            "one of " + breaker.length());
      }
    }

    /** Whether it can change anything. */
    public boolean active() {
      return multiplier > 0 && lastN != 0;
    }
  }

  /**
   * "Exclude top choices" (p-e-w, text-generation-webui pull request 6335): with {@code
   * probability}, of all tokens at least {@code threshold} probable only the least probable stays.
   *
   * @param probability 0 = off
   * @param threshold above 0.5 = off, since no two tokens can reach it
   */
  public record Xtc(float probability, float threshold) {
    /** Off. */
    public static final Xtc NONE = new Xtc(0, 0.1f);

    /** Checks every range. */
    public Xtc {
      requireWithin(0, 1, "xtc.probability", probability);
      requireWithin(0, 1, "xtc.threshold", threshold);
    }

    boolean active() {
      return probability > 0 && threshold <= 0.5f;
    }
  }

  /**
   * Mirostat 2 (Basu et al. 2021, algorithm 2): keeps tokens whose surprise is at most mu bits,
   * draws, then {@code mu -= eta * (surprise - tau)}; mu starts at {@code 2 tau}.
   *
   * @param tau wanted surprise in bits
   * @param eta learning rate
   */
  public record Mirostat(float tau, float eta) {
    /** The authors' values. */
    public static final Mirostat DEFAULTS = new Mirostat(5, 0.1f);

    /** Checks every range. */
    public Mirostat {
      requireWithin(1e-3f, 1e3f, "mirostat.tau", tau);
      requireWithin(0, 1e3f, "mirostat.eta", eta);
    }
  }

  /** A builder that starts from the defaults. */
  public static Builder builder() {
    return DEFAULTS.toBuilder();
  }

  /** A builder that starts from these values. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /** Collects values; the records check them. */
  public static final class Builder {
    private float temperature;
    private int topK;
    private float topP;
    private float minP;
    private float typicalP;
    private Penalties penalties;
    private Dry dry;
    private Xtc xtc;
    private @Nullable Mirostat mirostat;
    private Map<Integer, Float> logitBias;
    private @Nullable Long seed;
    private int topLogprobs;

    private Builder(SamplingParams from) {
      temperature = from.temperature;
      topK = from.topK;
      topP = from.topP;
      minP = from.minP;
      typicalP = from.typicalP;
      penalties = from.penalties;
      dry = from.dry;
      xtc = from.xtc;
      mirostat = from.mirostat;
      logitBias = from.logitBias;
      seed = from.seed;
      topLogprobs = from.topLogprobs;
    }

    /** {@link SamplingParams#temperature()}. */
    public Builder temperature(float value) {
      temperature = value;
      return this;
    }

    /** {@link SamplingParams#topK()}. */
    public Builder topK(int value) {
      topK = value;
      return this;
    }

    /** {@link SamplingParams#topP()}. */
    public Builder topP(float value) {
      topP = value;
      return this;
    }

    /** {@link SamplingParams#minP()}. */
    public Builder minP(float value) {
      minP = value;
      return this;
    }

    /** {@link SamplingParams#typicalP()}. */
    public Builder typicalP(float value) {
      typicalP = value;
      return this;
    }

    /** {@link SamplingParams#penalties()}. */
    public Builder penalties(Penalties value) {
      penalties = value;
      return this;
    }

    /** {@link SamplingParams#dry()}. */
    public Builder dry(Dry value) {
      dry = value;
      return this;
    }

    /** {@link SamplingParams#xtc()}. */
    public Builder xtc(Xtc value) {
      xtc = value;
      return this;
    }

    /** {@link SamplingParams#mirostat()}. */
    public Builder mirostat(@Nullable Mirostat value) {
      mirostat = value;
      return this;
    }

    /** {@link SamplingParams#logitBias()}. */
    public Builder logitBias(Map<Integer, Float> value) {
      logitBias = value;
      return this;
    }

    /** {@link SamplingParams#seed()}. */
    public Builder seed(@Nullable Long value) {
      seed = value;
      return this;
    }

    /** {@link SamplingParams#topLogprobs()}. */
    public Builder topLogprobs(int value) {
      topLogprobs = value;
      return this;
    }

    /** The finished record. */
    public SamplingParams build() {
      return new SamplingParams(
          temperature,
          topK,
          topP,
          minP,
          typicalP,
          penalties,
          dry,
          xtc,
          mirostat,
          logitBias,
          seed,
          topLogprobs);
    }
  }
}
