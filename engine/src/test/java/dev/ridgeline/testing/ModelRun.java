package dev.ridgeline.testing;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.Step;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.model.Model;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A model file on a backend, with one sequence that grows until {@link #clear()}. */
public final class ModelRun implements AutoCloseable {
  private static final int BLOCK_TOKENS = 16;

  private final GgufFile file;
  private final @Nullable Backend owned;
  private final Executable executable;
  private final int[][] blockTables;
  private int position;

  /**
   * Opens {@code path} on the backend called {@code backendName}.
   *
   * @param context tokens the sequence may have; also tokens and outputs of one step
   * @param pass what is done to the graph before it is compiled
   */
  public ModelRun(Path path, String backendName, int context, UnaryOperator<Graph> pass) {
    this(path, Backends.open(backendName, BackendOptions.DEFAULTS), true, context, pass);
  }

  /** The same on {@code backend}, which stays open. */
  public ModelRun(Path path, Backend backend, int context, UnaryOperator<Graph> pass) {
    this(path, backend, false, context, pass);
  }

  private ModelRun(
      Path path, Backend backend, boolean closeBackend, int context, UnaryOperator<Graph> pass) {
    file = GgufFile.open(path);
    owned = closeBackend ? backend : null;
    Graph graph = pass.apply(Model.read(file.metadata(), file.tensors()).graph());
    int groups = graph.kvGroups().size();
    int blocks = (context + BLOCK_TOKENS - 1) / BLOCK_TOKENS;
    List<Integer> kvBlocks = Collections.nCopies(groups, blocks);
    executable =
        backend.compile(
            graph,
            file::tensor,
            new Capacity(context, context, 1, context, BLOCK_TOKENS, kvBlocks, KvType.F16));
    // Blocks in falling order: a backend that ignores its block table is found out.
    int[] table = IntStream.range(0, blocks).map(b -> blocks - 1 - b).toArray();
    blockTables = new int[groups][];
    Arrays.fill(blockTables, table);
  }

  /** The backends that can run here, best first. */
  public static List<String> backends() {
    return Backends.providers().stream()
        .filter(p -> p.unavailable().isEmpty())
        .map(p -> p.name())
        .toList();
  }

  /** Forgets the sequence. */
  public void clear() {
    position = 0;
  }

  /** Appends {@code ids} in one step and returns the logits after the last of them. */
  public float[] append(int... ids) {
    return appendAll(ids, 1)[0];
  }

  /** Appends {@code ids} in one step and returns the logits after each of the last {@code n}. */
  public float[][] appendAll(int[] ids, int n) {
    var step = new Step(executable.capacity());
    step.beginSequence(blockTables);
    for (int i = 0; i < ids.length; i++) {
      step.addToken(ids[i], position++, i >= ids.length - n);
    }
    executable.run(step);
    float[][] logits = new float[n][executable.vocabularySize()];
    for (int i = 0; i < n; i++) {
      executable.logits(i, logits[i]);
    }
    return logits;
  }

  /** {@code ln sum exp}. */
  public static double logSumExp(float[] logits) {
    double max = Double.NEGATIVE_INFINITY;
    for (float l : logits) {
      max = Math.max(max, l);
    }
    double sum = 0;
    for (float l : logits) {
      sum += Math.exp(l - max);
    }
    return max + Math.log(sum);
  }

  @Override
  public void close() {
    executable.close();
    if (owned != null) {
      owned.close();
    }
    file.close();
  }
}
