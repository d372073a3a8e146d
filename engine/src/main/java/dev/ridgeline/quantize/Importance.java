package dev.ridgeline.quantize;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An importance matrix: for each column of a weight, the mean square of the activations that it was
 * multiplied by, over some text. An error of column i costs in proportion to it.
 *
 * @param entries by tensor name; experts have one after the other
 * @param chunks pieces of text it was measured on
 * @param chunkTokens tokens of a piece; 0 = not known
 * @param datasets what it was measured on
 */
public record Importance(
    Map<String, Entry> entries, int chunks, int chunkTokens, List<String> datasets) {
  /** Takes copies. */
  public Importance {
    entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
    datasets = List.copyOf(datasets);
  }

  /**
   * One tensor's sums.
   *
   * @param sumOfSquares {@code [matrices * columns]}
   * @param counts rows of activations that each of the matrices saw; one element unless there are
   *     experts
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over to readers, never compared
  public record Entry(float[] sumOfSquares, long[] counts) {
    /** Rejects sums that are not as many for each matrix. */
    public Entry {
      if (counts.length == 0
          || sumOfSquares.length == 0
          || sumOfSquares.length % counts.length != 0) {
        throw new IllegalArgumentException(
            "%d sums for %d matrices".formatted(sumOfSquares.length, counts.length));
      }
    }

    /** Columns of a matrix. */
    public int columns() {
      return sumOfSquares.length / counts.length;
    }

    /**
     * The mean square of each column of matrix {@code matrix}; 1 in all of them where it saw
     * nothing.
     */
    float[] means(int matrix) {
      int columns = columns();
      float[] means = new float[columns];
      long count = counts[matrix];
      for (int i = 0; i < columns; i++) {
        means[i] = count == 0 ? 1 : sumOfSquares[matrix * columns + i] / count;
      }
      return means;
    }
  }

  @Nullable Entry entry(String tensor) {
    return entries.get(tensor);
  }
}
