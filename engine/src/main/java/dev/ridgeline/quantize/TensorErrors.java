package dev.ridgeline.quantize;

import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** How far the weights of one file are from those of another. */
public final class TensorErrors {
  private static final int SLICE = 1 << 13;

  private TensorErrors() {}

  /**
   * Sums over the elements of a tensor.
   *
   * @param elements how many
   * @param squaredError {@code sum (x - y)^2}
   * @param square {@code sum x^2}, x of the first file
   */
  public record Sums(long elements, double squaredError, double square) {
    static final Sums ZERO = new Sums(0, 0, 0);

    Sums plus(Sums other) {
      return new Sums(
          elements + other.elements, squaredError + other.squaredError, square + other.square);
    }

    /** Root of the mean squared error. */
    public double rms() {
      return Math.sqrt(squaredError / elements);
    }

    /** Root of the mean squared error as a share of the root mean square of the weights. */
    public double relativeRms() {
      return Math.sqrt(squaredError / square);
    }
  }

  /**
   * The errors of {@code y} as a stand-in for {@code x}, for each tensor that both have in
   * different formats.
   */
  public static Map<String, Sums> between(GgufFile x, GgufFile y) {
    return between(x, y, null);
  }

  /**
   * As above, each element's square counted {@code importance} times: the mean square of the
   * activations of its column, where there is one.
   */
  public static Map<String, Sums> between(GgufFile x, GgufFile y, @Nullable Importance importance) {
    var all = new LinkedHashMap<String, Sums>();
    for (Tensor a : x.tensors().values()) {
      Tensor b = y.tensors().get(a.name());
      if (b != null && b.type() != a.type() && b.shape().equals(a.shape())) {
        all.put(a.name(), between(a, b, importance == null ? null : importance.entry(a.name())));
      }
    }
    return all;
  }

  private static Sums between(Tensor a, Tensor b, Importance.@Nullable Entry importance) {
    long n = a.shape().elements();
    return LongStream.range(0, (n + SLICE - 1) / SLICE)
        .parallel()
        .mapToObj(i -> slice(a, b, importance, i * SLICE, (int) Math.min(SLICE, n - i * SLICE)))
        .reduce(Sums.ZERO, Sums::plus);
  }

  private static Sums slice(
      Tensor a, Tensor b, Importance.@Nullable Entry importance, long first, int n) {
    var reader = new SourceReader(n);
    float[] x = new float[n];
    float[] y = new float[n];
    reader.read(a, first, x, n);
    reader.read(b, first, y, n);
    double error = 0;
    double square = 0;
    for (int i = 0; i < n; i++) {
      double weight = importance == null ? 1 : importance.mean(first + i, a.shape());
      double e = (double) x[i] - y[i];
      error += weight * e * e;
      square += weight * x[i] * x[i];
    }
    return new Sums(n, error, square);
  }
}
