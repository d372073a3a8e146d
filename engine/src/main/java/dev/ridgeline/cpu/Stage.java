package dev.ridgeline.cpu;

import dev.ridgeline.backend.Step;
import dev.ridgeline.graph.Value;

/**
 * A part of an op that threads run at once without waiting for each other; between stages they
 * meet. Everything but the step is bound when the graph is compiled.
 */
interface Stage {
  /** Does this worker's share. */
  void run(Worker worker, Step step);

  /** Whether there is nothing to do in this step, the same for all workers. */
  default boolean idle(Step step) {
    return false;
  }

  /** Rows of a value in {@code step}. */
  static int rows(Value.Rows rows, Step step) {
    return switch (rows) {
      case TOKENS -> step.tokenCount();
      case OUTPUTS -> step.outputCount();
    };
  }
}
