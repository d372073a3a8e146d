package dev.ridgeline.backend;

import java.lang.foreign.MemorySegment;

/**
 * A compiled graph with its KV storage. One step at a time: callers serialize {@link #run} and the
 * reads of its results. Allocates nothing on the Java heap per step.
 */
public interface Executable extends AutoCloseable {
  /** Most logits that {@link #top} gives. */
  int TOP_ROOM = 256;

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
   * Whether a step can be started while the one before is under way ({@link #startNext}): worth it
   * where the device would wait for the host between them.
   */
  default boolean runsAhead() {
    return false;
  }

  /**
   * Steps of up to so many tokens cost little more than those of one, those of a few more much; 0:
   * the time of a step rises evenly.
   */
  default int fewTokens() {
    return 0;
  }

  /**
   * Starts a step, which {@link #await} ends; together they are {@link #run}. Steps under way are
   * dropped: their K and V may be written, their results are not seen.
   *
   * @throws IllegalArgumentException if the step exceeds the capacity; nothing is started then
   */
  default void start(Step step) {
    run(step);
  }

  /**
   * Starts the step after the only one that is under way. Its tokens may be {@link Step#choice}, so
   * that nobody needs to know yet what that one will choose. All of {@code step} is read before
   * this returns.
   *
   * @throws IllegalArgumentException if the step exceeds the capacity; nothing is started then
   */
  default void startNext(Step step) {
    throw new UnsupportedOperationException("this backend runs one step after the other");
  }

  /**
   * Waits for the step that was started first. {@link #argmax}, {@link #choice} and {@link #top}
   * then tell of it, and {@link #logits} unless another one is under way.
   */
  default void await() {}

  /**
   * Copies the logits of output {@code output} of the last step into {@code into[0 ..
   * vocabularySize)}.
   */
  void logits(int output, float[] into);

  /**
   * The index of the largest logit of output {@code output} (the lowest, among equals), without
   * copying the row out; -1 if one is positive infinity or not a number.
   */
  int argmax(int output);

  /**
   * What a {@link Step#choice} of output {@code output} stands for: the {@linkplain Step#draw
   * drawn} token, or {@link #argmax}.
   */
  default int choice(int output) {
    return argmax(output);
  }

  /** How many of the largest logits {@link #top} gives at least; 0 if it never gives any. */
  default int leastTop() {
    return 0;
  }

  /**
   * The largest logits of output {@code output}, of a step that {@linkplain Step#wantTop wanted}
   * them, without copying the row out: all logits from some value on, in any order, at least {@link
   * #leastTop} of them unless fewer are above negative infinity.
   *
   * @param ids their indexes, with room for {@link #TOP_ROOM}
   * @param values the logits themselves, likewise
   * @return how many there are; 0 if the row has to be read
   */
  default int top(int output, int[] ids, float[] values) {
    return 0;
  }

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
