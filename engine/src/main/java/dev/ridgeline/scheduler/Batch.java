package dev.ridgeline.scheduler;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Step;
import java.util.ArrayList;
import java.util.List;

/** A step with the sequences whose tokens are in it. */
final class Batch {
  final Step step;
  private final List<Sequence> sequences = new ArrayList<>();

  /** Whether it was started before the step before it was over. */
  boolean ahead;

  Batch(Capacity capacity) {
    step = new Step(capacity);
  }

  void clear() {
    step.clear();
    sequences.clear();
    ahead = false;
  }

  boolean isEmpty() {
    return sequences.isEmpty();
  }

  int size() {
    return sequences.size();
  }

  Sequence sequence(int i) {
    return sequences.get(i);
  }

  /** Adds the tokens that {@code s} is scheduled for. */
  void add(Sequence s) {
    begin(s);
    int end = s.table.tokens() + s.scheduled;
    for (int position = s.table.tokens(); position < end; position++) {
      step.addToken(s.tokens()[position], position, position == s.count() - 1);
    }
  }

  /** Adds the token that the step before chooses for {@code s} from its output {@code output}. */
  void addChoice(Sequence s, int output) {
    begin(s);
    step.addToken(Step.choice(output), s.count(), true);
  }

  private void begin(Sequence s) {
    sequences.add(s);
    step.beginSequence(s.table.ofGroups());
  }

  int tokens(int i) {
    return step.endRow(i) - step.firstRow(i);
  }

  /**
   * Whether sequence {@code i} goes on where this step took it up. It does not if it has ended, or
   * did not get the token that this step was started with.
   */
  boolean isCurrent(int i) {
    return step.position(step.firstRow(i)) == sequences.get(i).table.tokens();
  }

  /** Whether {@code output} is that of sequence {@code i}. */
  boolean hasOutput(int i, int output) {
    return output < step.outputCount() && step.outputRow(output) == step.endRow(i) - 1;
  }
}
