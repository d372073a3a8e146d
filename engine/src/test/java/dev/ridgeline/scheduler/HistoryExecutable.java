package dev.ridgeline.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.Step;
import dev.ridgeline.sampler.Draw;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A model without weights: its K and V are the token and the position, stored through the block
 * tables like any others, and its logits are a hash of all that the tables show within the window
 * of each group. A wrong table, a block shared or freed wrongly, or a token computed twice changes
 * the text. Steps that are started run as late as they may, from copies of the tables.
 */
final class HistoryExecutable implements Executable {
  private static final float SPREAD = 6;

  private final Capacity capacity;
  private final List<Integer> windows;
  private final int vocabularySize;
  private final long[][] stored;
  private final long[] outputs;
  private final int[] choices;
  private long guesses;
  private final ArrayDeque<Step> underWay = new ArrayDeque<>();

  /** Called with every step before it is computed, on the step thread. */
  volatile Consumer<Step> beforeStep = _ -> {};

  /** Called before logits are read. */
  volatile Runnable beforeLogits = () -> {};

  /** Whether steps may be started before the one before them is over. */
  volatile boolean runsAhead;

  /** How many were. */
  final AtomicInteger startedAhead = new AtomicInteger();

  /** Each so many-th draw is wrong. */
  volatile int wrongEvery = Integer.MAX_VALUE;

  /** How many of the largest logits it gives at least. */
  volatile int leastTop;

  /** How often it gave them. */
  final AtomicInteger tops = new AtomicInteger();

  HistoryExecutable(Capacity capacity, List<Integer> windows, int vocabularySize) {
    this.capacity = capacity;
    this.windows = windows;
    this.vocabularySize = vocabularySize;
    stored = new long[windows.size()][];
    for (int group = 0; group < stored.length; group++) {
      stored[group] = new long[capacity.kvBlocks().get(group) * capacity.blockTokens()];
      Arrays.fill(stored[group], -1);
    }
    outputs = new long[capacity.maxOutputs()];
    choices = new int[capacity.maxOutputs()];
  }

  @Override
  public Capacity capacity() {
    return capacity;
  }

  @Override
  public int vocabularySize() {
    return vocabularySize;
  }

  @Override
  public boolean runsAhead() {
    return runsAhead;
  }

  @Override
  public void start(Step step) {
    while (!underWay.isEmpty()) {
      store(underWay.remove()); // dropped, but it has run
    }
    underWay.add(copy(step));
  }

  @Override
  public void startNext(Step step) {
    assertThat(runsAhead).isTrue();
    assertThat(underWay).hasSize(1);
    startedAhead.incrementAndGet();
    underWay.add(copy(step));
  }

  @Override
  public void await() {
    run(underWay.remove());
  }

  private Step copy(Step step) {
    var copy = new Step(capacity);
    int output = 0;
    for (int s = 0; s < step.sequenceCount(); s++) {
      var tables = new int[stored.length][];
      for (int group = 0; group < tables.length; group++) {
        tables[group] = step.blockTable(s, group).clone();
      }
      copy.beginSequence(tables);
      for (int row = step.firstRow(s); row < step.endRow(s); row++) {
        boolean asked = output < step.outputCount() && step.outputRow(output) == row;
        output += asked ? 1 : 0;
        copy.addToken(step.token(row), step.position(row), asked);
        Draw draw = asked ? step.draw(output - 1) : null;
        if (draw != null) {
          copy.draw(draw, step.uniform(output - 1));
        }
      }
    }
    return copy;
  }

  @Override
  public void run(Step step) {
    beforeStep.accept(step);
    store(step);
    for (int output = 0; output < step.outputCount(); output++) {
      outputs[output] = history(step, step.outputRow(output));
      choices[output] = chosen(output, step.draw(output), step.uniform(output));
    }
  }

  /** Another one than the sampler's where {@link #wrongEvery} says so. */
  private int chosen(int output, @Nullable Draw draw, float uniform) {
    if (draw == null) {
      return argmaxOf(output);
    }
    var row = new float[vocabularySize];
    fill(output, row);
    int[] best =
        IntStream.range(0, row.length)
            .boxed()
            .sorted(Comparator.comparingDouble(id -> -row[id]))
            .limit(draw.topK())
            .mapToInt(Integer::intValue)
            .toArray();
    double total = IntStream.of(best).mapToDouble(id -> Math.exp(row[id])).sum();
    double sum = 0;
    int kept = 0;
    while (kept < best.length && sum < draw.topP() * total) {
      sum += Math.exp(row[best[kept++]]);
    }
    int[] last =
        IntStream.of(best)
            .limit(Math.max(1, kept))
            .filter(id -> row[id] >= row[best[0]] + Math.log(draw.minP()))
            .toArray();
    double left =
        uniform
            * IntStream.of(last).mapToDouble(id -> Math.exp(row[id] / draw.temperature())).sum();
    int i = -1;
    while (left >= 0 && i < last.length - 1) {
      left -= Math.exp(row[last[++i]] / draw.temperature());
    }
    guesses++;
    return guesses % wrongEvery == 0 ? (last[i] + 1) % vocabularySize : last[i];
  }

  @Override
  public int choice(int output) {
    return choices[output];
  }

  private void store(Step step) {
    for (int group = 0; group < stored.length; group++) {
      for (int row = 0; row < step.tokenCount(); row++) {
        int slot = slot(step, group, step.sequence(row), step.position(row));
        int token = step.token(row);
        int known = token >= 0 ? token : choices[Step.choice(token)];
        stored[group][slot] = entry(known, step.position(row));
      }
    }
  }

  private static long entry(int token, int position) {
    return ((long) position << 32) | token;
  }

  private int slot(Step step, int group, int sequence, int position) {
    int block = step.blockTable(sequence, group)[position / capacity.blockTokens()];
    assertThat(block).isBetween(0, capacity.kvBlocks().get(group) - 1);
    return block * capacity.blockTokens() + position % capacity.blockTokens();
  }

  private long history(Step step, int row) {
    long hash = 1;
    for (int group = 0; group < stored.length; group++) {
      int last = step.position(row);
      int window = windows.get(group);
      for (int p = window == 0 ? 0 : Math.max(0, last - window + 1); p <= last; p++) {
        long entry = stored[group][slot(step, group, step.sequence(row), p)];
        assertThat(entry >>> 32).as("position of a visible token").isEqualTo(p);
        hash = mix(hash + entry);
      }
    }
    return hash;
  }

  @Override
  public void logits(int output, float[] into) {
    beforeLogits.run();
    assertThat(underWay).as("the step under way overwrites them").isEmpty();
    fill(output, into);
  }

  private void fill(int output, float[] into) {
    for (int id = 0; id < vocabularySize; id++) {
      into[id] = (mix(outputs[output] + id) >>> 40) * 0x1p-24f * SPREAD;
    }
  }

  @Override
  public int argmax(int output) {
    return argmaxOf(output);
  }

  @Override
  public int leastTop() {
    return leastTop;
  }

  /** The last one first, as no device promises an order. */
  @Override
  public int top(int output, int[] ids, float[] values) {
    var row = new float[vocabularySize];
    fill(output, row);
    float[] sorted = row.clone();
    Arrays.sort(sorted);
    int count = 0;
    for (int id = row.length - 1; id >= 0; id--) {
      if (row[id] >= sorted[row.length - leastTop]) {
        ids[count] = id;
        values[count++] = row[id];
      }
    }
    tops.incrementAndGet();
    return count;
  }

  private int argmaxOf(int output) {
    var row = new float[vocabularySize];
    fill(output, row);
    int best = 0;
    for (int id = 1; id < row.length; id++) {
      best = row[id] > row[best] ? id : best;
    }
    return best;
  }

  private static long mix(long z) {
    long x = (z ^ (z >>> 31)) * 0x9E3779B97F4A7C15L;
    x = (x ^ (x >>> 29)) * 0xBF58476D1CE4E5B9L;
    return x ^ (x >>> 32);
  }

  @Override
  public void close() {}
}
