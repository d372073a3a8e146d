package dev.ridgeline.lab.study;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import dev.ridgeline.lab.MachineFigures;
import dev.ridgeline.lab.MachineInfo;
import dev.ridgeline.lab.Utilization;
import dev.ridgeline.lab.stats.Percentiles;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One line of {@code records.jsonl}: something that was measured, or why it was not. Exactly one of
 * the parts is there, the one that {@code kind} names; none where the status is {@code failed}.
 *
 * @param schema version of this record, {@value #SCHEMA}
 * @param id what reports cite: {@code session/1}, {@code variant/Q4_K_M}, {@code run/Q4_K_M/256/1},
 *     {@code quality/Q4_K_M}; of several lines with one id the last one counts
 * @param kind {@code session}, {@code variant}, {@code run} or {@code quality}
 * @param time when it was written, ISO 8601 in UTC
 * @param status {@code ok}, {@code estimated} or {@code failed}
 * @param note why it failed, how it was estimated, or what it was measured on instead
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record LabRecord(
    int schema,
    String id,
    String kind,
    String time,
    String status,
    @Nullable String note,
    @Nullable Session session,
    @Nullable Variant variant,
    @Nullable Run run,
    @Nullable Quality quality) {
  /** The version that this program writes and reads. */
  public static final int SCHEMA = 1;

  public static final String OK = "ok";
  public static final String ESTIMATED = "estimated";
  public static final String FAILED = "failed";

  /** Rejects records of other programs and records without their part. */
  public LabRecord {
    if (schema != SCHEMA) {
      throw new IllegalArgumentException("schema %d; expected %d".formatted(schema, SCHEMA));
    }
    if (!List.of(OK, ESTIMATED, FAILED).contains(status)) {
      throw new IllegalArgumentException(
          "status '%s'; expected ok, estimated or failed".formatted(status));
    }
    Object part =
        switch (kind) {
          case "session" -> session;
          case "variant" -> variant;
          case "run" -> run;
          case "quality" -> quality;
          default -> throw new IllegalArgumentException("kind '" + kind + "' is not known");
        };
    if (part == null && !status.equals(FAILED)) {
      throw new IllegalArgumentException("a record of kind '" + kind + "' without " + kind);
    }
    if (!id.startsWith(kind + "/")) {
      throw new IllegalArgumentException("id '%s' of a record of kind '%s'".formatted(id, kind));
    }
  }

  /**
   * One call of {@code study}.
   *
   * @param machine where, with what
   * @param limits what the backend was measured to do at most
   * @param model what the source calls itself
   * @param modelHash SHA-256 of the source
   * @param contextLength tokens that the model was trained for
   * @param variants of the plan
   * @param runs of the plan, by generated tokens, without those left out
   * @param leftOut lengths of the plan that are past the context
   * @param promptTokens of the prompt before the first token
   * @param kvType element type of the KV cache
   * @param ops of the model's graph
   * @param launchMicrosPerOp what an op costs before it does anything: an upper bound
   * @param launchMicrosPerStep what starting and ending a step costs, where the device tells it
   *     apart from the ops; null where it is in them
   * @param text what quality is measured on
   * @param qualityTokens tokens of it; 0 = the plan asks for no quality
   * @param planKey equal for plans that measure the same
   */
  public record Session(
      MachineInfo machine,
      MachineFigures limits,
      String model,
      String modelHash,
      long parameters,
      int contextLength,
      List<String> variants,
      Map<Integer, Integer> runs,
      List<Integer> leftOut,
      int promptTokens,
      String kvType,
      int ops,
      double launchMicrosPerOp,
      @Nullable Double launchMicrosPerStep,
      String text,
      int qualityTokens,
      String planKey) {
    /** What launching a step's ops takes at most, in milliseconds. */
    public double launchMillis() {
      double step = launchMicrosPerStep == null ? 0 : launchMicrosPerStep;
      return (step + ops * launchMicrosPerOp) / 1e3;
    }
  }

  /**
   * A variant's file, and the memory that it takes at the study's context.
   *
   * @param bitsPerWeight of all tensors, embeddings included
   * @param tensorsByType how many tensors have each format
   * @param makeSeconds that quantizing took; 0 where the source itself is the variant
   */
  public record Variant(
      String name,
      long fileBytes,
      double bitsPerWeight,
      Map<String, Integer> tensorsByType,
      double makeSeconds,
      long weightBytes,
      long repackedBytes,
      long kvBytes,
      long activationBytes,
      long stagingBytes) {
    /** Bytes held while it runs: staging is the host's, or gone once the weights are loaded. */
    public long heldBytes() {
      return weightBytes + repackedBytes + kvBytes + activationBytes;
    }
  }

  /**
   * One run: a prompt from an empty KV cache, then, from an empty one again, tokens one by one.
   *
   * @param tokens generated
   * @param number of the run among those of its length, from 1
   * @param backend that ran it
   * @param ttftSeconds from the start of the prompt to the choice of the first token
   * @param gapNanos between one token and the next, as measured; empty in an estimate
   * @param seconds of all generated tokens
   * @param bytesPerToken that a generated token must move, on average
   * @param flopsPerToken operations of it
   * @param promptBytes that the prompt must move
   * @param promptFlops operations of it
   * @param gpuBytes of the variant's memory, what GPUs hold, where the processor has layers too;
   *     null where all is in one place
   */
  public record Run(
      String variant,
      int tokens,
      int number,
      String backend,
      int threads,
      int promptTokens,
      double ttftSeconds,
      double seconds,
      double bytesPerToken,
      double flopsPerToken,
      double promptBytes,
      double promptFlops,
      double readGigabytesPerSecond,
      double gigaflopsPerSecond,
      @Nullable Long gpuBytes,
      @SuppressWarnings("ArrayRecordComponent") long[] gapNanos) {
    /** Rejects runs that took no time. */
    public Run {
      if (!(seconds > 0) || tokens < 1 || !(bytesPerToken > 0)) {
        throw new IllegalArgumentException(
            "a run of %d tokens in %s s with %s bytes a token"
                .formatted(tokens, seconds, bytesPerToken));
      }
      if (gapNanos.length != 0 && gapNanos.length != tokens) {
        throw new IllegalArgumentException(
            "a run of %d tokens with %d gaps".formatted(tokens, gapNanos.length));
      }
    }

    /** Generated tokens a second. */
    public double tokensPerSecond() {
      return tokens / seconds;
    }

    /** Mean time of a token. */
    public double latencyMillis() {
      return 1e3 * seconds / tokens;
    }

    /** Of the gaps, in milliseconds; of the mean alone in an estimate. */
    public Percentiles gapMillis() {
      return gapNanos.length == 0
          ? Percentiles.of(latencyMillis())
          : Percentiles.of(Arrays.stream(gapNanos).mapToDouble(n -> n / 1e6).toArray());
    }

    /** What generating reached of the machine's limit. */
    public Utilization utilization() {
      return Utilization.of(bytesPerToken, flopsPerToken, seconds / tokens, machine().limits());
    }

    /** What the prompt reached of the machine's limit. */
    public Utilization promptUtilization() {
      return Utilization.of(promptBytes, promptFlops, ttftSeconds, machine().limits());
    }

    /** What the backend was measured to do at most. */
    public MachineFigures machine() {
      return new MachineFigures(
          backend, "", threads, readGigabytesPerSecond, gigaflopsPerSecond, null);
    }
  }

  /**
   * How a variant predicts a text, beside the source.
   *
   * @param tokens scored
   * @param perplexity {@code exp} of the mean negative log-likelihood
   * @param standardError of the perplexity
   * @param kldMean mean over the tokens of {@code sum p ln(p / q)}, p the source's, q the variant's
   *     distribution, in nats
   * @param kldStandardError of that mean
   * @param kldPercentiles of the divergences of single tokens
   * @param topAgreement share of the tokens where both find the same token most likely
   * @param probabilityChangeRms root mean square of the change of the right token's probability
   */
  public record Quality(
      String variant,
      int tokens,
      double perplexity,
      double standardError,
      double kldMean,
      double kldStandardError,
      Percentiles kldPercentiles,
      double topAgreement,
      double probabilityChangeRms) {
    /** Rejects what no text can give. */
    public Quality {
      if (!(perplexity >= 1) || tokens < 1) {
        throw new IllegalArgumentException(
            "perplexity %s over %d tokens".formatted(perplexity, tokens));
      }
    }
  }

  /** Whether its part can be used. */
  public boolean isUsable() {
    return !status.equals(FAILED);
  }
}
