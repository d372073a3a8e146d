package dev.ridgeline.scheduler;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.kvcache.KvCache;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** An engine core over a {@link HistoryExecutable}. */
final class CoreHarness implements AutoCloseable {
  static final int BLOCK = 4;
  static final int CONTEXT = 64;

  final HistoryExecutable executable;
  final EngineCore core;
  final Queue<StepStats> steps = new ConcurrentLinkedQueue<>();
  final Queue<RequestStats> finished = new ConcurrentLinkedQueue<>();

  /**
   * What differs between tests.
   *
   * @param windows of the KV groups
   * @param sequences places in the batch
   * @param stepTokens tokens of a step
   * @param blocks of each group
   * @param prefixCache whether it is on
   */
  record Shape(
      List<Integer> windows, int sequences, int stepTokens, int blocks, boolean prefixCache) {
    /** One group without a window, and more than enough of everything. */
    static final Shape ROOMY = new Shape(List.of(0), 8, 32, 200, true);

    Shape withBlocks(int count) {
      return new Shape(windows, sequences, stepTokens, count, prefixCache);
    }

    Shape withSequences(int count) {
      return new Shape(windows, count, stepTokens, blocks, prefixCache);
    }

    Shape withStepTokens(int count) {
      return new Shape(windows, sequences, count, blocks, prefixCache);
    }
  }

  CoreHarness(Shape shape) {
    var blocks = new ArrayList<Integer>();
    var groups = new ArrayList<KvCache.Group>();
    for (int window : shape.windows) {
      blocks.add(shape.blocks);
      groups.add(new KvCache.Group(window, shape.blocks, shape.prefixCache ? shape.blocks : 0));
    }
    var capacity =
        new Capacity(
            shape.stepTokens, shape.sequences, shape.sequences, CONTEXT, BLOCK, blocks, KvType.F16);
    executable = new HistoryExecutable(capacity, shape.windows, Letters.SIZE);
    var listener =
        new EngineListener() {
          @Override
          public void onStep(StepStats step) {
            steps.add(step);
          }

          @Override
          public void onFinish(RequestStats request) {
            finished.add(request);
          }
        };
    var settings = new StepLoop.Settings(0, List.of(listener));
    core = new EngineCore(executable, Letters.tokenizer(), groups, settings);
  }

  /** Runs a request to its end. */
  TokenStream.Completion complete(int[] prompt, GenerateParams params) {
    try (TokenStream stream = core.generate(prompt, params)) {
      return stream.collect();
    }
  }

  @Override
  public void close() {
    core.close();
  }
}
