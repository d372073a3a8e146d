package dev.ridgeline.cpu.vector;

import dev.ridgeline.cpu.kernel.PackCall;
import dev.ridgeline.cpu.kernel.Packing;
import dev.ridgeline.cpu.kernel.ProductCall;
import dev.ridgeline.cpu.kernel.ProductKernel;
import dev.ridgeline.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Function;

/**
 * One product by the kernels of the width that this copy of the class was loaded with. Arguments
 * and result are values of the JDK, which mean the same to every copy.
 */
public final class WidthProducts implements Function<Object[], float[]> {
  /**
   * Multiplies: the type's name, the rows' bytes, rows, columns, x (float32 {@code [tokens,
   * cols]}), tokens.
   *
   * @return {@code [tokens, rows]}
   */
  @Override
  public float[] apply(Object[] arguments) {
    DType type = DType.valueOf((String) arguments[0]);
    int rows = (int) arguments[2];
    int cols = (int) arguments[3];
    int tokens = (int) arguments[5];
    ProductKernel kernel =
        VectorProducts.kernels(type).stream()
            .filter(k -> k.minTokens() <= tokens && tokens <= k.maxTokens())
            .findFirst()
            .orElseThrow();
    try (Arena arena = Arena.ofConfined()) {
      var pack = new PackCall();
      pack.x = copy(arena, MemorySegment.ofArray((float[]) arguments[4]), 4L * tokens * cols);
      pack.tokens = tokens;
      pack.cols = cols;
      pack.toCol = cols;
      pack.packed = pack.x;
      if (!kernel.packing().equals(Packing.NONE)) {
        pack.packed = arena.allocate(kernel.packing().bytes(tokens, cols), 64).address();
        kernel.packing().pack(pack);
      }
      MemorySegment out = arena.allocate(4L * rows * tokens, 64);
      var call = new ProductCall();
      MemorySegment weights = MemorySegment.ofArray((byte[]) arguments[1]);
      call.weights = copy(arena, weights, weights.byteSize());
      call.rowBytes = type.bytes(cols);
      call.rows = rows;
      call.cols = cols;
      call.packed = pack.packed;
      call.tokens = tokens;
      call.out = out.address();
      call.outStride = 4L * rows;
      call.scratch = arena.allocate(kernel.scratchBytes(cols), 64).address();
      kernel.multiply(call);
      return out.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  private static long copy(Arena arena, MemorySegment from, long bytes) {
    return arena.allocate(bytes, 64).copyFrom(from.asSlice(0, bytes)).address();
  }
}
