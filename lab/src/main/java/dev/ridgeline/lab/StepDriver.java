package dev.ridgeline.lab;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.Step;
import dev.ridgeline.backend.StepProfile;
import dev.ridgeline.graph.Graph;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Drives an executable by hand, without scheduler and sampler: one sequence with blocks of its own.
 * Measurements use random tokens, so that they time the model alone.
 */
public final class StepDriver {
  private final Executable executable;
  private final Step step;
  private final int[][] blockTables;
  private final SplittableRandom tokens = new SplittableRandom(7);
  private int position;

  /** A driver of {@code executable}, which was compiled from {@code graph}. */
  public StepDriver(Graph graph, Executable executable) {
    this.executable = executable;
    Capacity capacity = executable.capacity();
    step = new Step(capacity);
    blockTables =
        graph.kvGroups().stream()
            .map(_ -> IntStream.range(0, capacity.blocksPerSequence()).toArray())
            .toArray(int[][]::new);
  }

  /** Starts an empty sequence. */
  public void reset() {
    position = 0;
  }

  /** Runs {@code count} random tokens as a prompt; see {@link #prompt(int[])}. */
  public void prompt(int count) {
    prompt(randomTokens(count));
  }

  /**
   * Runs {@code ids} as a prompt, in steps as large as the capacity allows; output 0 then holds the
   * last one's logits.
   */
  public void prompt(int[] ids) {
    prompt(ids, 1, _ -> {});
  }

  /**
   * Runs {@code ids} with the logits of as many tokens a step as the capacity has outputs.
   *
   * @param outputs logits a step: 1 = those of the last token of all only
   * @param afterStep is told, after each step with outputs, the index in {@code ids} of output 0
   */
  public void prompt(int[] ids, int outputs, IntConsumer afterStep) {
    int most = outputs == 1 ? executable.capacity().maxTokens() : outputs;
    for (int from = 0; from < ids.length; from += most) {
      int end = Math.min(ids.length, from + most);
      step.clear();
      step.beginSequence(blockTables);
      for (int i = from; i < end; i++) {
        step.addToken(ids[i], position++, outputs > 1 || i == ids.length - 1);
      }
      executable.run(step);
      if (step.outputCount() > 0) {
        afterStep.accept(from);
      }
    }
  }

  /** Runs {@code count} random tokens one by one, and takes the best next token of each. */
  public void generate(int count) {
    generate(count, _ -> {});
  }

  /**
   * The same; {@code afterToken} is told the number of each. Where the executable can, each step is
   * started while the one before runs, as the scheduler does for greedy requests.
   */
  public void generate(int count, IntConsumer afterToken) {
    boolean started = false;
    for (int i = 0; i < count; i++) {
      if (!started) {
        executable.start(randomToken());
      }
      started = executable.runsAhead() && i + 1 < count;
      if (started) {
        executable.startNext(randomToken());
      }
      executable.await();
      int _ = executable.argmax(0);
      afterToken.accept(i);
    }
  }

  private Step randomToken() {
    return single(tokens.nextInt(executable.vocabularySize()));
  }

  /** Runs {@code count} random tokens in one step and tells where its time went. */
  public StepProfile profile(int count) {
    step.clear();
    step.beginSequence(blockTables);
    int[] ids = randomTokens(count);
    for (int i = 0; i < count; i++) {
      step.addToken(ids[i], position++, i == count - 1);
    }
    return executable.profile(step);
  }

  /** Runs one token; output 0 then holds its logits. */
  public void token(int id) {
    executable.run(single(id));
  }

  private Step single(int id) {
    step.clear();
    step.beginSequence(blockTables);
    step.addToken(id, position++, true);
    return step;
  }

  private int[] randomTokens(int count) {
    return IntStream.range(0, count)
        .map(_ -> tokens.nextInt(executable.vocabularySize()))
        .toArray();
  }
}
