package dev.ridgeline.scheduler;

import static dev.ridgeline.sampler.InvalidParameterException.require;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.FileExecutable;
import dev.ridgeline.backend.Step;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;

/**
 * Texts as vectors: the forward pass up to the last norm, with activations and KV of its own for
 * one sequence. Its steps run between those of the engine.
 */
final class Embedder implements AutoCloseable {
  private static final String LAST_NORM = "output_norm";

  /** Which rows of a text's tokens become its vector; numbers as in files. */
  enum Pooling {
    MEAN,
    FIRST,
    LAST;

    static Pooling of(int type) {
      return type == 1 ? MEAN : type == 2 ? FIRST : LAST;
    }
  }

  private final Executable executable;
  private final Consumer<Runnable> betweenSteps;
  private final Pooling pooling;
  private final Step step;
  private final int[][] blockTables;
  private final float[] row;

  Embedder(
      Backend backend,
      Graph graph,
      GgufFile file,
      Capacity engine,
      Pooling pooling,
      Consumer<Runnable> betweenSteps) {
    this.pooling = pooling;
    this.betweenSteps = betweenSteps;
    Graph hidden = graph(graph);
    var capacity = capacity(hidden, engine);
    executable = FileExecutable.of(file, () -> backend.compile(hidden, file::tensor, capacity));
    step = new Step(capacity);
    blockTables = new int[hidden.kvGroups().size()][capacity.blocksPerSequence()];
    for (int[] table : blockTables) {
      java.util.Arrays.setAll(table, i -> i);
    }
    row = new float[executable.vocabularySize()];
  }

  /** The graph that embeds texts, of that of a model. */
  static Graph graph(Graph model) {
    return Fusion.fuse(upToTheLastNorm(model));
  }

  /** Room for one sequence of the engine's context. */
  static Capacity capacity(Graph graph, Capacity engine) {
    int blocks = engine.blocksPerSequence();
    return new Capacity(
        engine.maxTokens(),
        engine.maxTokens(),
        1,
        engine.maxContext(),
        engine.blockTokens(),
        graph.kvGroups().stream().map(_ -> blocks).toList(),
        engine.kvType());
  }

  /** The graph without what makes logits of the last norm's rows. */
  private static Graph upToTheLastNorm(Graph graph) {
    for (int i = graph.ops().size() - 1; i >= 0; i--) {
      if (graph.ops().get(i) instanceof Op.RmsNorm norm && norm.out().name().equals(LAST_NORM)) {
        List<Op> ops = graph.ops().subList(0, i + 1);
        var values = new ArrayList<Value>(graph.values().subList(0, norm.out().id() + 1));
        return new Graph(ops, values, graph.kvLayers(), norm.out());
      }
    }
    throw new IllegalArgumentException(
        "this architecture has no '" + LAST_NORM + "' to embed with");
  }

  /**
   * The vector of a text, of length 1.
   *
   * @param ids 1 to the context's number of tokens
   */
  synchronized float[] embed(int[] ids) {
    Capacity capacity = executable.capacity();
    require(
        ids.length > 0 && ids.length <= capacity.maxContext(),
        "input",
        "1 to %d tokens, as that is the context".formatted(capacity.maxContext()),
        ids.length);
    double[] sum = new double[row.length];
    for (int from = 0; from < ids.length; from += capacity.maxTokens()) {
      int first = from;
      int end = Math.min(ids.length, from + capacity.maxTokens());
      var done = new CompletableFuture<Void>();
      betweenSteps.accept(
          () -> {
            try {
              run(ids, first, end, sum);
              done.complete(null);
            } catch (RuntimeException e) {
              done.completeExceptionally(e);
            }
          });
      try {
        done.join();
      } catch (CompletionException e) {
        throw new GenerationException("embedding failed: " + e.getCause(), e.getCause());
      }
    }
    return normalized(sum);
  }

  private void run(int[] ids, int from, int end, double[] sum) {
    step.clear();
    step.beginSequence(blockTables);
    for (int i = from; i < end; i++) {
      step.addToken(ids[i], i, isPooled(i, ids.length));
    }
    executable.run(step);
    for (int output = 0; output < step.outputCount(); output++) {
      executable.logits(output, row);
      for (int i = 0; i < row.length; i++) {
        sum[i] += row[i];
      }
    }
  }

  private boolean isPooled(int position, int count) {
    return switch (pooling) {
      case MEAN -> true;
      case FIRST -> position == 0;
      case LAST -> position == count - 1;
    };
  }

  private static float[] normalized(double[] sum) {
    double squares = 0;
    for (double x : sum) {
      squares += x * x;
    }
    double scale = squares == 0 ? 0 : 1 / Math.sqrt(squares);
    float[] vector = new float[sum.length];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = (float) (sum[i] * scale);
    }
    return vector;
  }

  @Override
  public void close() {
    executable.close();
  }
}
