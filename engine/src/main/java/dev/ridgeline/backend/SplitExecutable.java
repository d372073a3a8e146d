package dev.ridgeline.backend;

import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.LayerSplit;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * The parts of {@link LayerSplit}, each on its own device with the KV of its own layers: a step
 * runs through them one by one, and the rows of the residual stream go from each to the next
 * through host memory.
 */
final class SplitExecutable implements Executable {
  /**
   * A part with its view of a step.
   *
   * @param groups for each KV group of the part, its number in the whole graph
   * @param tables for each sequence of a step, the block tables of these groups
   */
  private record Part(Executable executable, Step step, int[] groups, int[][][] tables) {}

  private final Capacity capacity;
  private final StepCheck check;
  private final List<Part> parts = new ArrayList<>();
  private final Executable last;
  private final float[] row;

  SplitExecutable(Graph whole, Capacity capacity, List<Graph> graphs, List<Executable> parts) {
    this.capacity = capacity;
    check = new StepCheck(whole, capacity);
    for (int i = 0; i < graphs.size(); i++) {
      int[] groups =
          graphs.get(i).kvGroups().stream().mapToInt(whole.kvGroups()::indexOf).toArray();
      Executable part = parts.get(i);
      int[][][] tables = new int[capacity.maxSequences()][groups.length][];
      this.parts.add(new Part(part, new Step(part.capacity()), groups, tables));
    }
    last = parts.getLast();
    row = new float[parts.getFirst().vocabularySize()];
  }

  @Override
  public Capacity capacity() {
    return capacity;
  }

  @Override
  public int vocabularySize() {
    return last.vocabularySize();
  }

  @Override
  public void run(Step step) {
    check.check(step);
    for (int i = 0; i < parts.size(); i++) {
      Part part = parts.get(i);
      fill(part, step);
      part.executable.run(part.step);
      handOver(i, step.tokenCount());
    }
  }

  /** Copies what part {@code i} computed to the part after it. */
  private void handOver(int i, int tokens) {
    if (i == parts.size() - 1) {
      return;
    }
    MemorySegment to = parts.get(i + 1).executable.input();
    for (int t = 0; t < tokens; t++) {
      parts.get(i).executable.logits(t, row);
      MemorySegment.copy(row, 0, to, ValueLayout.JAVA_FLOAT, 4L * t * row.length, row.length);
    }
  }

  private void fill(Part part, Step step) {
    part.step.clear();
    int output = 0;
    for (int s = 0; s < step.sequenceCount(); s++) {
      for (int group = 0; group < part.groups.length; group++) {
        part.tables[s][group] = step.blockTable(s, part.groups[group]);
      }
      part.step.beginSequence(part.tables[s]);
      for (int t = step.firstRow(s); t < step.endRow(s); t++) {
        boolean asked = output < step.outputCount() && step.outputRow(output) == t;
        output += asked ? 1 : 0;
        part.step.addToken(step.token(t), step.position(t), asked || part.executable != last);
      }
    }
  }

  @Override
  public StepProfile profile(Step step) {
    check.check(step);
    var all = new ArrayList<StepProfile.Part>();
    long start = System.nanoTime();
    double at = 0;
    long profiling = 0;
    for (int i = 0; i < parts.size(); i++) {
      Part part = parts.get(i);
      fill(part, step);
      long before = System.nanoTime();
      StepProfile profile = part.executable.profile(part.step);
      profiling += System.nanoTime() - before - profile.wallNanos();
      for (StepProfile.Part p : profile.parts()) {
        all.add(new StepProfile.Part(p.kernel(), p.ops(), at + p.startNanos(), p.nanos()));
      }
      at += profile.wallNanos();
      handOver(i, step.tokenCount());
    }
    return new StepProfile(all, System.nanoTime() - start - profiling);
  }

  @Override
  public void logits(int output, float[] into) {
    last.logits(output, into);
  }

  @Override
  public int argmax(int output) {
    return last.argmax(output);
  }

  @Override
  public void close() {
    parts.forEach(p -> p.executable.close());
  }
}
