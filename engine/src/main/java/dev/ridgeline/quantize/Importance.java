package dev.ridgeline.quantize;

import dev.ridgeline.tensor.Shape;
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
   * @param sumOfSquares of each column, matrix after matrix
   * @param counts rows of activations that each matrix saw; one number where they all saw as many
   */
  @SuppressWarnings("ArrayRecordComponent") // handed over to readers, never compared
  public record Entry(float[] sumOfSquares, float[] counts) {
    /** Rejects sums that are not as many for each matrix, and what no sum of squares can be. */
    public Entry {
      if (counts.length == 0
          || sumOfSquares.length == 0
          || sumOfSquares.length % counts.length != 0) {
        throw new IllegalArgumentException(
            "%d sums for %d matrices".formatted(sumOfSquares.length, counts.length));
      }
      for (float sum : sumOfSquares) {
        if (!(sum >= 0 && Float.isFinite(sum))) {
          throw new IllegalArgumentException("a sum of squares is " + sum);
        }
      }
    }

    /** Whether it is for {@code matrices} matrices of {@code columns} columns. */
    boolean fits(long columns, long matrices) {
      return sumOfSquares.length == columns * matrices
          && (counts.length == 1 || counts.length == matrices);
    }

    /**
     * The mean square of each of the {@code columns} columns of matrix {@code matrix}; 1 in all of
     * them where it saw nothing.
     */
    float[] means(int columns, int matrix) {
      float[] means = new float[columns];
      for (int i = 0; i < columns; i++) {
        means[i] = mean(matrix, matrix * columns + i);
      }
      return means;
    }

    /** The mean square of the column of element {@code element} of a tensor of this shape. */
    float mean(long element, Shape shape) {
      int matrix = (int) (element / (shape.ne0() * shape.ne1()));
      return mean(matrix, (int) (matrix * shape.ne0() + element % shape.ne0()));
    }

    private float mean(int matrix, int at) {
      float count = counts[counts.length == 1 ? 0 : matrix];
      return count > 0 ? sumOfSquares[at] / count : 1;
    }
  }

  /** The entry of {@code tensor}, if it was measured. */
  @Nullable Entry entry(String tensor) {
    return entries.get(tensor);
  }
}
