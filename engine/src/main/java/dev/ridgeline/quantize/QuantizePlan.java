package dev.ridgeline.quantize;

import dev.ridgeline.model.FileType;
import dev.ridgeline.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a quantized file shall be.
 *
 * @param type the named mix; {@code general.file_type} of the result
 * @param rules formats for tensors by name, before the mix is asked; the first that matches wins
 * @param importance which columns matter, if that was measured
 * @param requantize whether tensors that are quantized already (other than Q8_0) may be converted
 * @param threads that compute; 0 = one for each processor
 */
public record QuantizePlan(
    FileType type,
    List<TensorRule> rules,
    Optional<Importance> importance,
    boolean requantize,
    int threads) {
  private static final Pattern ATTENTION =
      Pattern.compile("^blk\\.\\d+\\.attn_(q|k|v|qkv|output)\\.weight$");
  private static final Pattern LAYER = Pattern.compile("^blk\\.\\d+\\.");

  /** Rejects negative numbers of threads. */
  public QuantizePlan {
    rules = List.copyOf(rules);
    if (threads < 0) {
      throw new IllegalArgumentException("threads: expected 0 or more, found " + threads);
    }
  }

  /** The mix alone. */
  public static QuantizePlan of(FileType type) {
    return new QuantizePlan(type, List.of(), Optional.empty(), false, 0);
  }

  /**
   * Attention matrices in Q5_K, the other matrices of the layers in Q2_K; embedding and output as
   * the mix Q2_K has them.
   */
  public static QuantizePlan hybrid() {
    return of(FileType.Q2_K)
        .withRules(
            List.of(
                new TensorRule(ATTENTION, DType.Q5_K, true),
                new TensorRule(LAYER, DType.Q2_K, true)));
  }

  /** This plan with {@code first} asked before its own rules. */
  public QuantizePlan withRules(List<TensorRule> first) {
    var all = new ArrayList<>(first);
    all.addAll(rules);
    return new QuantizePlan(type, all, importance, requantize, threads);
  }

  /** This plan with an importance matrix. */
  public QuantizePlan withImportance(Importance importance) {
    return new QuantizePlan(type, rules, Optional.of(importance), requantize, threads);
  }

  /** This plan, which may convert quantized tensors or not. */
  public QuantizePlan withRequantize(boolean requantize) {
    return new QuantizePlan(type, rules, importance, requantize, threads);
  }

  /** This plan on so many threads. */
  public QuantizePlan withThreads(int threads) {
    return new QuantizePlan(type, rules, importance, requantize, threads);
  }
}
