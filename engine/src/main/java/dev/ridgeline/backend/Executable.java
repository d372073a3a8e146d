package dev.ridgeline.backend;

import java.lang.foreign.MemorySegment;

/**
 * A compiled graph with its KV storage. One step at a time: callers serialize {@link #run} and the
 * reads of its results. Allocates nothing on the Java heap per step.
 */
public interface Executable extends AutoCloseable {
  /** What was fixed when this was compiled. */
  Capacity capacity();

  /** Width of a row of logits. */
  int vocabularySize();

  /**
   * Memory for the rows that {@link dev.ridgeline.graph.Op.Input} reads, {@code [maxTokens, width]}
   * of float32: written by the caller before {@link #run}. Empty where the graph has no such op.
   */
  default MemorySegment input() {
    return MemorySegment.NULL;
  }

  /**
   * Runs one forward pass: computes K and V of every token of {@code step}, stores them, and leaves
   * a row of logits for each output.
   *
   * @throws IllegalArgumentException if the step exceeds the capacity
   */
  void run(Step step);

  /**
   * Copies the logits of output {@code output} of the last step into {@code into[0 ..
   * vocabularySize)}.
   */
  void logits(int output, float[] into);

  /**
   * The index of the largest logit of output {@code output} (the lowest, among equals), without
   * copying the row out.
   */
  int argmax(int output);

  /**
   * Runs {@code step} like {@link #run} and tells how long each part of it took on the device.
   *
   * @throws UnsupportedOperationException if this backend cannot tell
   */
  default StepProfile profile(Step step) {
    throw new UnsupportedOperationException("this backend does not time the parts of a step");
  }

  @Override
  void close();
}
