package dev.ridgeline.lab.quality;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.InputListener;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.model.Model;
import dev.ridgeline.quantize.Importance;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Measures an importance matrix: the squares of what goes into each product of the layers, summed
 * column by column over a text. The output matrix is left out, as in llama.cpp.
 */
public final class ImportanceCollector implements InputListener {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final String LAYERS = "blk.";

  private final Map<String, Sums> sums = new LinkedHashMap<>();

  private ImportanceCollector() {}

  /** Sums of one tensor, in double: a float stops growing at 2^24 ones. */
  private static final class Sums {
    private final int columns;
    private final double[] squares;
    private final long[] counts;

    Sums(Weight weight) {
      columns = weight.cols();
      squares = new double[columns * weight.experts()];
      counts = new long[weight.experts()];
    }

    void add(float[] x, int at, int matrix) {
      counts[matrix]++;
      int into = matrix * columns;
      for (int i = 0; i < columns; i++) {
        squares[into + i] += (double) x[at + i] * x[at + i];
      }
    }

    Importance.Entry entry() {
      float[] values = new float[squares.length];
      float[] rows = new float[counts.length];
      IntStream.range(0, values.length).forEach(i -> values[i] = (float) squares[i]);
      IntStream.range(0, rows.length).forEach(i -> rows[i] = counts[i]);
      return new Importance.Entry(values, rows);
    }
  }

  /**
   * Runs {@code windows} through {@code model} and returns what was measured.
   *
   * @param dataset what to call the text
   * @param progress told the windows done
   * @throws IllegalArgumentException if the backend cannot show what goes into products
   */
  public static Importance measure(
      GgufFile file,
      Model model,
      Backend backend,
      Windows windows,
      Perplexity.Options options,
      String dataset,
      IntConsumer progress) {
    var collector = new ImportanceCollector();
    try (var run = new WindowRun(file, model, backend, windows, options, collector)) {
      run.run(null, (_, _, _) -> {}, progress);
    }
    var entries = new LinkedHashMap<String, Importance.Entry>();
    collector.sums.forEach((name, s) -> entries.put(name, s.entry()));
    return new Importance(entries, windows.count(), windows.context(), List.of(dataset));
  }

  @Override
  public void inputs(Op op, MemorySegment x, MemorySegment route, int rows) {
    float[] values = x.toArray(FLOAT);
    Set<String> done = new HashSet<>();
    switch (op) {
      case Op.MatMul m ->
          m.products().stream()
              .map(Op.Product::weight)
              .filter(w -> done.add(w.tensor()))
              .forEach(w -> add(w, values, rows));
      case Op.GatedMatMul m -> {
        add(m.gate(), values, rows);
        add(m.up(), values, rows);
      }
      case Op.ExpertMatMul m -> add(m, values, route.toArray(FLOAT), rows);
      default -> throw new IllegalArgumentException("no product: " + op);
    }
  }

  private Sums sums(Weight weight) {
    return sums.computeIfAbsent(weight.tensor(), _ -> new Sums(weight));
  }

  private void add(Weight weight, float[] x, int rows) {
    if (weight.tensor().startsWith(LAYERS)) {
      Sums to = sums(weight);
      for (int row = 0; row < rows; row++) {
        to.add(x, row * weight.cols(), 0);
      }
    }
  }

  /** A token's row counts for each of its experts. */
  private void add(Op.ExpertMatMul op, float[] x, float[] route, int rows) {
    Sums to = sums(op.weight());
    int k = op.route().width() / 2;
    int width = op.x().width();
    boolean one = width == to.columns;
    for (int row = 0; row < rows; row++) {
      for (int j = 0; j < k; j++) {
        int expert = (int) route[row * 2 * k + j];
        to.add(x, row * width + (one ? 0 : j * to.columns), expert);
      }
    }
  }
}
