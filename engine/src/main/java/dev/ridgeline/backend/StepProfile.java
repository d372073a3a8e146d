package dev.ridgeline.backend;

import dev.ridgeline.graph.Op;
import java.util.List;

/**
 * Where the time of one step went, by the device's own clock.
 *
 * @param parts in the order they ran; each ends where the next begins
 * @param wallNanos from handing the step over until its results were there, by the host's clock:
 *     the parts, and what starting and ending cost
 */
public record StepProfile(List<Part> parts, long wallNanos) {
  /**
   * One kernel.
   *
   * @param kernel its name and variant
   * @param ops what it computes, alone or with the parts beside it that have the same ops (the
   *     conversion of an input, the product itself); empty for work beside the ops of the graph
   * @param startNanos since the first part began
   * @param nanos until everything before the next part was done
   */
  public record Part(String kernel, List<Op> ops, double startNanos, double nanos) {
    /** Copies the list. */
    public Part {
      ops = List.copyOf(ops);
    }
  }

  /** Copies the list. */
  public StepProfile {
    parts = List.copyOf(parts);
  }

  /** All parts together. */
  public double deviceNanos() {
    return parts.stream().mapToDouble(Part::nanos).sum();
  }
}
