package dev.ridgeline.scheduler;

import static dev.ridgeline.sampler.InvalidParameterException.require;

import dev.ridgeline.sampler.SamplingParams;
import dev.ridgeline.sampler.TokenMask;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * How a text is generated and when it ends.
 *
 * @param sampling how tokens are chosen
 * @param maxTokens most tokens to generate; -1 = as many as the context holds
 * @param stop texts that end the answer and are not part of it
 * @param stopTokens token ids that end it, besides the model's own
 * @param ignoreEos whether the model's own end tokens are forbidden
 * @param specialTokens whether control tokens are written as their names; else left out
 * @param constraint makes the state machine that each request needs of its own; null = none
 * @param scheduling what the request is to others
 */
public record GenerateParams(
    SamplingParams sampling,
    int maxTokens,
    List<String> stop,
    Set<Integer> stopTokens,
    boolean ignoreEos,
    boolean specialTokens,
    @Nullable Supplier<TokenMask> constraint,
    Scheduling scheduling) {

  /** llama.cpp's sampling, until the model ends the text or the context is full. */
  public static final GenerateParams DEFAULTS =
      new GenerateParams(
          SamplingParams.DEFAULTS,
          -1,
          List.of(),
          Set.of(),
          false,
          false,
          null,
          Scheduling.DEFAULTS);

  private static final int MAX_STOPS = 64;
  private static final int MAX_STOP_CHARS = 1000;

  /** Checks every range. */
  public GenerateParams {
    require(maxTokens == -1 || maxTokens > 0, "maxTokens", "1 or more, or -1", maxTokens);
    stop = List.copyOf(stop);
    require(stop.size() <= MAX_STOPS, "stop", "at most " + MAX_STOPS, stop.size());
    for (String text : stop) {
      require(
          !text.isEmpty() && text.length() <= MAX_STOP_CHARS,
          "stop",
          "texts of 1 to " + MAX_STOP_CHARS + " characters",
          "one of " + text.length());
    }
    stopTokens = Set.copyOf(stopTokens);
  }

  /**
   * What a request is to others.
   *
   * @param priority smaller goes first and is preempted last, as in vLLM; 0 is usual
   * @param client requests of equal priority share the engine evenly between clients
   * @param cacheSalt cached prefixes are shared between requests of equal salt only
   * @param timeLimit from the submission; null = none
   */
  public record Scheduling(
      int priority, String client, long cacheSalt, @Nullable Duration timeLimit) {
    /** One client, no limit. */
    public static final Scheduling DEFAULTS = new Scheduling(0, "", 0, null);

    /** Checks every range. */
    public Scheduling {
      require(
          timeLimit == null || timeLimit.isPositive(), "timeLimit", "a positive time", timeLimit);
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

  /** Collects values; the record checks them. */
  public static final class Builder {
    private SamplingParams sampling;
    private int maxTokens;
    private List<String> stop;
    private Set<Integer> stopTokens;
    private boolean ignoreEos;
    private boolean specialTokens;
    private @Nullable Supplier<TokenMask> constraint;
    private Scheduling scheduling;

    private Builder(GenerateParams from) {
      sampling = from.sampling;
      maxTokens = from.maxTokens;
      stop = from.stop;
      stopTokens = from.stopTokens;
      ignoreEos = from.ignoreEos;
      specialTokens = from.specialTokens;
      constraint = from.constraint;
      scheduling = from.scheduling;
    }

    /** {@link GenerateParams#sampling()}. */
    public Builder sampling(SamplingParams value) {
      sampling = value;
      return this;
    }

    /** {@link GenerateParams#maxTokens()}. */
    public Builder maxTokens(int value) {
      maxTokens = value;
      return this;
    }

    /** {@link GenerateParams#stop()}. */
    public Builder stop(String... value) {
      stop = List.of(value);
      return this;
    }

    /** {@link GenerateParams#stopTokens()}. */
    public Builder stopTokens(Set<Integer> value) {
      stopTokens = value;
      return this;
    }

    /** {@link GenerateParams#ignoreEos()}. */
    public Builder ignoreEos(boolean value) {
      ignoreEos = value;
      return this;
    }

    /** {@link GenerateParams#specialTokens()}. */
    public Builder specialTokens(boolean value) {
      specialTokens = value;
      return this;
    }

    /** {@link GenerateParams#constraint()}. */
    public Builder constraint(@Nullable Supplier<TokenMask> value) {
      constraint = value;
      return this;
    }

    /** {@link GenerateParams#scheduling()}. */
    public Builder scheduling(Scheduling value) {
      scheduling = value;
      return this;
    }

    /** The finished record. */
    public GenerateParams build() {
      return new GenerateParams(
          sampling, maxTokens, stop, stopTokens, ignoreEos, specialTokens, constraint, scheduling);
    }
  }
}
