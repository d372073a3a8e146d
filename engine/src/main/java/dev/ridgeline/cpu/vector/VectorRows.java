package dev.ridgeline.cpu.vector;

import dev.ridgeline.cpu.kernel.RowDecoder;
import dev.ridgeline.cpu.kernel.RowKernel;
import dev.ridgeline.tensor.DType;

/** {@link Rows} as a kernel that can be exchanged, and the decoders that go with it. */
public final class VectorRows implements RowKernel {
  @Override
  public void rmsNorm(long x, long weight, float eps, long out, int count) {
    Rows.rmsNorm(x, weight, eps, out, count);
  }

  @Override
  public void add(long a, long b, float scale, long out, int count) {
    Rows.add(a, b, scale, out, count);
  }

  @Override
  public void scale(long x, float factor, long out, int count) {
    Rows.scale(x, factor, out, count);
  }

  /** The decoder of {@code type}. */
  public static RowDecoder decoder(DType type) {
    WeightRow row = WeightRow.of(type);
    return new RowDecoder() {
      @Override
      public long scratchBytes() {
        return WeightRow.SCRATCH_BYTES;
      }

      @Override
      public void decode(long from, long to, int elements, long scratch) {
        row.decode(from, to, elements, scratch);
      }
    };
  }
}
