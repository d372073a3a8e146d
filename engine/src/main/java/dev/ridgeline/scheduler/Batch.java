package dev.ridgeline.scheduler;

import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.Step;
import dev.ridgeline.sampler.Draw;
import java.util.ArrayList;
import java.util.List;

/** A step with the sequences whose tokens are in it. */
final class Batch {
  final Step step;
  private final List<Sequence> sequences = new ArrayList<>();

  private final Executable executable;

  /** Those whose token in this step, which was a guess, is not theirs. */
  private final List<Sequence> missed = new ArrayList<>();

  /** Whether it was started before the step before it was over. */
  boolean ahead;

  Batch(Executable executable) {
    step = new Step(executable.capacity());
    this.executable = executable;
  }

  void clear() {
    step.clear();
    sequences.clear();
    missed.clear();
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
    add(s, s.table.tokens(), s.scheduled);
  }

  /** Adds {@code n} tokens of {@code s} that are there, from position {@code from} on. */
  void add(Sequence s, int from, int n) {
    begin(s);
    int end = from + n;
    for (int position = from; position < end; position++) {
      step.addToken(s.tokens()[position], position, position == s.count() - 1);
    }
    if (end == s.count()) {
      choose(s, end);
    }
  }

  /** Says what comes back for the token after the {@code count} first ones of {@code s}. */
  private void choose(Sequence s, int count) {
    int most = executable.leastTop();
    Draw draw = s.sampler.draw(most);
    if (draw != null) {
      step.draw(draw, s.sampler.uniform(count));
    } else if (s.sampler.needsTopOnly(most)) {
      step.wantTop();
    }
  }

  /** Adds the token that the step before chooses for {@code s} from its output {@code output}. */
  void addChoice(Sequence s, int output) {
    begin(s);
    step.addToken(Step.choice(output), s.count(), true);
    choose(s, s.count() + 1);
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
    return !missed.contains(sequences.get(i))
        && step.position(step.firstRow(i)) == sequences.get(i).table.tokens();
  }

  /** The step was started with another token than the one that {@code s} got since. */
  void miss(Sequence s) {
    missed.add(s);
  }

  /** Whether {@code output} is that of sequence {@code i}. */
  boolean hasOutput(int i, int output) {
    return output < step.outputCount() && step.outputRow(output) == step.endRow(i) - 1;
  }
}
