package dev.ridgeline.backend;

import dev.ridgeline.graph.Op;
import java.lang.foreign.MemorySegment;

/** Is shown what goes into products while steps run; by one thread at a time, in graph order. */
@FunctionalInterface
public interface InputListener {
  /**
   * Shows the input of one product.
   *
   * @param op a {@link Op.MatMul}, {@link Op.GatedMatMul} or {@link Op.ExpertMatMul}
   * @param x its input as float32, {@code [rows, width]}; valid during the call
   * @param route where the experts were chosen, {@code [rows, 2 k]}; empty unless there are experts
   * @param rows of both
   */
  void inputs(Op op, MemorySegment x, MemorySegment route, int rows);
}
