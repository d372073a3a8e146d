package dev.ridgeline.lab.study;

import dev.ridgeline.backend.Executable;
import dev.ridgeline.lab.LoadedModel;
import dev.ridgeline.lab.stats.Percentiles;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Runs the source and a variant over the same windows of tokens and compares their distributions
 * over the next token. As in the reference engine's perplexity tool, each window starts from an
 * empty KV cache and only its second half is scored, where every token has a context.
 */
final class QualityMeter {
  /** Rows of logits in one step; 64 rows of 128,000 floats are 32 MB. */
  static final int OUTPUTS = 64;

  private final LoadedModel source;
  private final LoadedModel variant;
  private final List<Double> nlls = new ArrayList<>();
  private final List<Double> klds = new ArrayList<>();
  private double squaredChanges;
  private int agreements;

  /** Both with room for a window and for {@link #OUTPUTS} outputs. */
  QualityMeter(LoadedModel source, LoadedModel variant) {
    this.source = source;
    this.variant = variant;
  }

  /** Scores {@code windows} of token ids. */
  LabRecord.Quality measure(String name, List<int[]> windows) {
    for (int[] window : windows) {
      window(window);
    }
    int n = nlls.size();
    double nll = mean(nlls);
    double perplexity = Math.exp(nll);
    double[] divergences = klds.stream().mapToDouble(Double::doubleValue).toArray();
    return new LabRecord.Quality(
        name,
        n,
        perplexity,
        perplexity * standardError(nlls),
        mean(klds),
        standardError(klds),
        Percentiles.of(divergences),
        (double) agreements / n,
        Math.sqrt(squaredChanges / n));
  }

  private void window(int[] window) {
    int vocabulary = variant.executable().vocabularySize();
    int half = window.length / 2;
    int rows = window.length - half - 1;
    float[][] expected = new float[rows][vocabulary];
    logits(source, window, half, (row, logits) -> expected[row] = logits.clone());
    logits(
        variant,
        window,
        half,
        (row, logits) -> score(expected[row], logits, window[half + row + 1]));
  }

  private interface Rows {
    void row(int row, float[] logits);
  }

  /** The logits after tokens {@code half ..} of the window, but for the last. */
  private static void logits(LoadedModel model, int[] window, int half, Rows rows) {
    Executable executable = model.executable();
    float[] logits = new float[executable.vocabularySize()];
    model.driver().reset();
    model.driver().prompt(Arrays.copyOf(window, half));
    int[] scored = Arrays.copyOfRange(window, half, window.length - 1);
    model
        .driver()
        .prompt(
            scored,
            OUTPUTS,
            from -> {
              for (int i = 0; i < Math.min(OUTPUTS, scored.length - from); i++) {
                executable.logits(i, logits);
                rows.row(from + i, logits);
              }
            });
  }

  private void score(float[] expected, float[] found, int next) {
    double logSumP = logSum(expected);
    double logSumQ = logSum(found);
    double kld = 0;
    int bestP = 0;
    int bestQ = 0;
    for (int i = 0; i < expected.length; i++) {
      double logP = expected[i] - logSumP;
      kld += Math.exp(logP) * (logP - (found[i] - logSumQ));
      bestP = expected[i] > expected[bestP] ? i : bestP;
      bestQ = found[i] > found[bestQ] ? i : bestQ;
    }
    double logP = expected[next] - logSumP;
    double logQ = found[next] - logSumQ;
    nlls.add(-logQ);
    // Rounding may leave a divergence of equal distributions a hair under 0.
    klds.add(Math.max(0, kld));
    agreements += bestP == bestQ ? 1 : 0;
    squaredChanges += Math.pow(Math.exp(logQ) - Math.exp(logP), 2);
  }

  private static double logSum(float[] logits) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    return max + Math.log(sum);
  }

  private static double mean(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
  }

  /** Of the mean: {@code s / sqrt(n)}. */
  private static double standardError(List<Double> values) {
    double mean = mean(values);
    double squares = values.stream().mapToDouble(v -> (v - mean) * (v - mean)).sum();
    int n = values.size();
    return n < 2 ? 0 : Math.sqrt(squares / (n - 1) / n);
  }
}
