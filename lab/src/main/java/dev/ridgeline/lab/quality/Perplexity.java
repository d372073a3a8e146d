package dev.ridgeline.lab.quality;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.model.Model;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Perplexity: {@code exp(mean(-ln p(id | ids before it)))} over the scored ids of windows of text.
 */
public final class Perplexity {
  private Perplexity() {}

  /**
   * How to run it; changes the speed, and nothing else but rounding.
   *
   * @param batchTokens tokens of one step, at most
   * @param kvType element type of the KV cache
   */
  public record Options(int batchTokens, KvType kvType) {
    /** What is right for most. */
    public static final Options DEFAULTS = new Options(1024, KvType.F16);

    /** Rejects empty steps. */
    public Options {
      if (batchTokens < 1) {
        throw new IllegalArgumentException(
            "batch: expected at least 1 token, found " + batchTokens);
      }
    }
  }

  /**
   * The outcome.
   *
   * @param perplexity the value
   * @param standardError of the value: its derivative {@code perplexity} times the standard error
   *     of the mean of the scored ids' negative logarithms
   * @param tokens scored ids
   * @param windows windows they stand in
   * @param context tokens of a window
   * @param seconds taken, without loading
   * @param tokensPerSecond read, scored or not
   */
  public record Result(
      double perplexity,
      double standardError,
      long tokens,
      int windows,
      int context,
      double seconds,
      double tokensPerSecond) {}

  /**
   * Measures {@code model} of {@code file} on {@code backend}.
   *
   * @param progress told the windows done, and the perplexity of these
   */
  public static Result measure(
      GgufFile file,
      Model model,
      Backend backend,
      Windows windows,
      Options options,
      BiConsumer<Integer, Double> progress) {
    return measure(file, model, backend, windows, options, null, (_, _, _, _) -> {}, progress);
  }

  /** Shown the logits of each scored position, by several threads at once. */
  @FunctionalInterface
  interface RowListener {
    void row(int window, int position, float[] logits, double logSumExp);
  }

  static Result measure(
      GgufFile file,
      Model model,
      Backend backend,
      Windows windows,
      Options options,
      @Nullable WindowRun beside,
      RowListener listener,
      BiConsumer<Integer, Double> progress) {
    var scores = new Scores(windows);
    try (var run = new WindowRun(file, model, backend, windows, options, null)) {
      long start = System.nanoTime();
      run.run(
          beside,
          (window, position, logits) -> {
            double logSumExp = LogSoftmax.logSumExp(logits, logits.length);
            int next = windows.ids()[window][position + 1];
            scores.put(window, position, logSumExp - logits[next]);
            listener.row(window, position, logits, logSumExp);
          },
          done -> progress.accept(done, scores.perplexity(done)));
      return scores.result((System.nanoTime() - start) / 1e9);
    }
  }

  /** Negative logarithms of the scored ids' probabilities. */
  static final class Scores {
    private final Windows windows;
    private final double[] nll;

    Scores(Windows windows) {
      this.windows = windows;
      nll = new double[windows.count() * windows.scored()];
    }

    void put(int window, int position, double value) {
      nll[window * windows.scored() + position - windows.firstScored()] = value;
    }

    double perplexity(int windowsDone) {
      return Math.exp(mean(windowsDone * windows.scored()));
    }

    private double mean(int n) {
      double sum = 0;
      for (int i = 0; i < n; i++) {
        sum += nll[i];
      }
      return sum / n;
    }

    Result result(double seconds) {
      int n = nll.length;
      double mean = mean(n);
      double squares = 0;
      for (double value : nll) {
        squares += (value - mean) * (value - mean);
      }
      double perplexity = Math.exp(mean);
      double error = n < 2 ? Double.NaN : Math.sqrt(squares / (n - 1.0) / n);
      return new Result(
          perplexity,
          perplexity * error,
          n,
          windows.count(),
          windows.context(),
          seconds,
          (double) windows.count() * windows.context() / seconds);
    }
  }
}
