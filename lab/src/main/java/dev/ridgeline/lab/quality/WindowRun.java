package dev.ridgeline.lab.quality;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.FileExecutable;
import dev.ridgeline.backend.InputListener;
import dev.ridgeline.backend.Step;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.lab.LoadedModel;
import dev.ridgeline.model.Model;
import java.util.Collections;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Runs windows through a model, several side by side in one step, so that the backend works at the
 * speed of prompts, and hands out the logits of every scored position.
 */
final class WindowRun implements AutoCloseable {
  private static final int BLOCK_TOKENS = 32;

  /** Logits of one step; a step has fewer tokens where the vocabulary is large. */
  private static final long MAX_LOGITS_BYTES = 512L << 20;

  private final Windows windows;
  private final Executable executable;
  private final Step step;
  private final int sideBySide;
  private final int stride;
  private final int[][][] blockTables;
  private final int[] windowOfOutput;
  private final int[] positionOfOutput;
  private final float[][] rows;
  private int firstWindow;
  private int firstOutput;
  private int outputsOfWindow;

  /** Takes the logits of one position; called by several threads at once. */
  @FunctionalInterface
  interface Visitor {
    /**
     * Takes one row.
     *
     * @param window which
     * @param position of the last token read
     * @param logits of the next one; valid during the call
     */
    void row(int window, int position, float[] logits);
  }

  WindowRun(
      GgufFile file,
      Model model,
      Backend backend,
      Windows windows,
      Perplexity.Options options,
      @Nullable InputListener listener) {
    this.windows = windows;
    Graph graph = Fusion.fuse(model.graph());
    int context = windows.context();
    long rowBytes = 4L * model.vocabularySize();
    int batch = Math.clamp(MAX_LOGITS_BYTES / rowBytes, 1, options.batchTokens());
    stride = Math.min(batch, context);
    sideBySide = Math.clamp(batch / context, 1, windows.count());
    int blocks = (context + BLOCK_TOKENS - 1) / BLOCK_TOKENS;
    int groups = graph.kvGroups().size();
    int tokens = stride * sideBySide;
    var capacity =
        new Capacity(
            tokens,
            tokens,
            sideBySide,
            context,
            BLOCK_TOKENS,
            Collections.nCopies(groups, blocks * sideBySide),
            options.kvType());
    // By the memory that is free now: another model may have been loaded since.
    LoadedModel.requireFits(backend.places(graph, capacity), context * sideBySide);
    executable =
        FileExecutable.of(
            file,
            () ->
                listener == null
                    ? backend.compile(graph, file::tensor, capacity)
                    : backend.compile(graph, file::tensor, capacity, listener));
    step = new Step(capacity);
    blockTables = new int[sideBySide][groups][];
    for (int s = 0; s < sideBySide; s++) {
      int first = s * blocks;
      java.util.Arrays.setAll(
          blockTables[s], _ -> IntStream.range(first, first + blocks).toArray());
    }
    windowOfOutput = new int[tokens];
    positionOfOutput = new int[tokens];
    rows = new float[2 * Runtime.getRuntime().availableProcessors()][model.vocabularySize()];
  }

  /**
   * Runs all windows; {@code progress} is told how many are done.
   *
   * @param beside takes each step before this one does, so that both have the same logits at hand;
   *     of the same windows and options
   */
  void run(@Nullable WindowRun beside, Visitor visitor, IntConsumer progress) {
    for (int first = 0; first < windows.count(); first += sideBySide) {
      int end = Math.min(first + sideBySide, windows.count());
      for (int at = 0; at < windows.context(); at += stride) {
        int to = Math.min(at + stride, windows.context());
        if (beside != null) {
          beside.step(first, end, at, to);
        }
        step(first, end, at, to);
        visit(visitor);
      }
      progress.accept(end);
    }
  }

  private void step(int firstWindow, int endWindow, int from, int to) {
    this.firstWindow = firstWindow;
    firstOutput = Math.max(from, windows.firstScored());
    outputsOfWindow = Math.min(to, windows.context() - 1) - firstOutput;
    step.clear();
    for (int w = firstWindow; w < endWindow; w++) {
      step.beginSequence(blockTables[w - firstWindow]);
      for (int p = from; p < to; p++) {
        boolean scored = p >= windows.firstScored() && p < windows.context() - 1;
        if (scored) {
          windowOfOutput[step.outputCount()] = w;
          positionOfOutput[step.outputCount()] = p;
        }
        step.addToken(windows.ids()[w][p], p, scored);
      }
    }
    executable.run(step);
  }

  /** The logits after a scored position of the last step; several threads may ask. */
  synchronized void logits(int window, int position, float[] into) {
    executable.logits((window - firstWindow) * outputsOfWindow + position - firstOutput, into);
  }

  private void visit(Visitor visitor) {
    for (int first = 0; first < step.outputCount(); first += rows.length) {
      int count = Math.min(rows.length, step.outputCount() - first);
      for (int i = 0; i < count; i++) {
        executable.logits(first + i, rows[i]);
      }
      int from = first;
      IntStream.range(0, count)
          .parallel()
          .forEach(i -> visitor.row(windowOfOutput[from + i], positionOfOutput[from + i], rows[i]));
    }
  }

  @Override
  public void close() {
    executable.close();
  }
}
