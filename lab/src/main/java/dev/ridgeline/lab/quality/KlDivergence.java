package dev.ridgeline.lab.quality;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.model.Model;
import dev.ridgeline.sampler.Exp;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.BiConsumer;

/**
 * How far a model's predictions are from those of another, its base: at each scored position, with
 * p the base's probabilities and q the model's, the Kullback-Leibler divergence {@code sum p ln(p /
 * q)} over the vocabulary.
 */
public final class KlDivergence {
  private KlDivergence() {}

  /**
   * Values at ranks of a sorted list.
   *
   * @param p1 a hundredth of the values are at most this, and so on
   */
  public record Percentiles(
      double min, double p1, double p5, double p50, double p95, double p99, double max) {
    static Percentiles of(double[] values) {
      double[] sorted = values.clone();
      Arrays.sort(sorted);
      return new Percentiles(
          sorted[0],
          rank(sorted, 0.01),
          rank(sorted, 0.05),
          rank(sorted, 0.5),
          rank(sorted, 0.95),
          rank(sorted, 0.99),
          sorted[sorted.length - 1]);
    }

    /** Between the two values next to the rank, in proportion. */
    private static double rank(double[] sorted, double share) {
      double rank = share * (sorted.length - 1);
      int low = (int) rank;
      int high = Math.min(low + 1, sorted.length - 1);
      return sorted[low] + (rank - low) * (sorted[high] - sorted[low]);
    }
  }

  /**
   * The outcome.
   *
   * @param perplexity of the model
   * @param basePerplexity of the base, from what it saved
   * @param meanKld in nats
   * @param meanKldStandardError of the mean
   * @param kld percentiles of the divergence over the positions
   * @param topTokenAgreement share of positions at which both have the same most probable token
   * @param meanProbabilityChange of the text's tokens, model minus base
   * @param rmsProbabilityChange root mean square of the same
   * @param probabilityChange percentiles of the same
   */
  public record Result(
      Perplexity.Result perplexity,
      double basePerplexity,
      double meanKld,
      double meanKldStandardError,
      Percentiles kld,
      double topTokenAgreement,
      double meanProbabilityChange,
      double rmsProbabilityChange,
      Percentiles probabilityChange) {}

  /** Measures the perplexity of {@code model} and saves what others are to be compared with. */
  public static Perplexity.Result save(
      GgufFile file,
      Model model,
      Backend backend,
      Windows windows,
      Perplexity.Options options,
      Path base,
      BiConsumer<Integer, Double> progress)
      throws IOException {
    var result = new Perplexity.Result[1];
    KldBase.write(
        base,
        windows,
        model.vocabularySize(),
        saved ->
            result[0] =
                Perplexity.measure(
                    file, model, backend, windows, options, null, saved::put, progress));
    return result[0];
  }

  /**
   * Compares {@code model} with what {@link #save} stored, over the same windows.
   *
   * @throws IllegalArgumentException in one line, if {@code base} is not such a file or is of a
   *     model with another vocabulary
   */
  public static Result measure(
      GgufFile file,
      Model model,
      Backend backend,
      Path base,
      Perplexity.Options options,
      BiConsumer<Integer, Double> progress)
      throws IOException {
    try (KldBase saved = KldBase.open(base)) {
      if (saved.vocabulary() != model.vocabularySize()) {
        throw new IllegalArgumentException(
            "%s is of a model with %d tokens; this one has %d: they cannot be compared"
                .formatted(base, saved.vocabulary(), model.vocabularySize()));
      }
      var comparison = new Comparison(saved.windows(), saved.vocabulary(), saved::get);
      Perplexity.Result perplexity =
          Perplexity.measure(
              file, model, backend, saved.windows(), options, null, comparison::row, progress);
      return comparison.result(perplexity);
    }
  }

  /** A base that is loaded, and runs beside each model that is compared with it. */
  public static final class Base implements AutoCloseable {
    private final Windows windows;
    private final Perplexity.Options options;
    private final int vocabulary;
    private final WindowRun run;

    /** Loads {@code model} of {@code file}, which stays open as long as this. */
    public Base(
        GgufFile file, Model model, Backend backend, Windows windows, Perplexity.Options options) {
      this.windows = windows;
      this.options = options;
      vocabulary = model.vocabularySize();
      run = new WindowRun(file, model, backend, windows, options, null);
    }

    /** Compares {@code model}, of the same vocabulary; a model with itself has exactly 0. */
    public Result measure(GgufFile file, Model model, Backend backend) {
      var comparison = new Comparison(windows, vocabulary, this::logProbabilities);
      return comparison.result(
          Perplexity.measure(
              file, model, backend, windows, options, run, comparison::row, (_, _) -> {}));
    }

    private void logProbabilities(int window, int position, float[] into) {
      run.logits(window, position, into);
      double logSumExp = LogSoftmax.logSumExp(into, into.length);
      for (int i = 0; i < into.length; i++) {
        into[i] = (float) (into[i] - logSumExp);
      }
    }

    @Override
    public void close() {
      run.close();
    }
  }

  /** Natural logarithms of the base's probabilities after a position. */
  @FunctionalInterface
  private interface BaseRows {
    void get(int window, int position, float[] into);
  }

  /** Figures of each scored position. */
  private static final class Comparison {
    private final BaseRows base;
    private final Windows windows;
    private final double[] kld;
    private final double[] change;
    private final boolean[] sameTop;
    private final Perplexity.Scores baseScores;
    private final ThreadLocal<float[]> row;

    Comparison(Windows windows, int vocabulary, BaseRows base) {
      this.base = base;
      this.windows = windows;
      int n = windows.count() * windows.scored();
      kld = new double[n];
      change = new double[n];
      sameTop = new boolean[n];
      baseScores = new Perplexity.Scores(windows);
      row = ThreadLocal.withInitial(() -> new float[vocabulary]);
    }

    void row(int window, int position, float[] logits, double logSumExp) {
      float[] p = row.get();
      base.get(window, position, p);
      double sum = 0;
      int top = 0;
      int baseTop = 0;
      for (int i = 0; i < p.length; i++) {
        // Rounded as the base's are, so that equal logits give exactly 0.
        float q = (float) (logits[i] - logSumExp);
        sum += Exp.exp(Math.min(0, p[i])) * (p[i] - q);
        top = logits[i] > logits[top] ? i : top;
        baseTop = p[i] > p[baseTop] ? i : baseTop;
      }
      int at = window * windows.scored() + position - windows.firstScored();
      int id = windows.ids()[window][position + 1];
      kld[at] = sum;
      sameTop[at] = top == baseTop;
      change[at] = Math.exp(logits[id] - logSumExp) - Math.exp(p[id]);
      baseScores.put(window, position, -p[id]);
    }

    Result result(Perplexity.Result perplexity) {
      int n = kld.length;
      double mean = Arrays.stream(kld).average().orElseThrow();
      double squares = Arrays.stream(kld).map(k -> (k - mean) * (k - mean)).sum();
      int same = 0;
      for (boolean s : sameTop) {
        same += s ? 1 : 0;
      }
      return new Result(
          perplexity,
          baseScores.perplexity(windows.count()),
          mean,
          Math.sqrt(squares / Math.max(1, n - 1) / n),
          Percentiles.of(kld),
          (double) same / n,
          Arrays.stream(change).average().orElseThrow(),
          Math.sqrt(Arrays.stream(change).map(c -> c * c).average().orElseThrow()),
          Percentiles.of(change));
    }
  }
}
