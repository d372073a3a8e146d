package dev.ridgeline.quantize.block;

import static dev.ridgeline.quantize.block.Batch.LANES;

import dev.ridgeline.tensor.DType;
import org.jspecify.annotations.Nullable;

/** Q4_1, Q5_1: 32 elements, {@code x = d * q + m}; d and m from a search. */
final class MinEncoder implements BlockEncoder {
  private static final int BLOCK = 32;

  private final DType type;
  private final Batch batch;
  private final Affine fit;
  private final float[] scales = new float[LANES];
  private final float[] mins = new float[LANES];

  MinEncoder(DType type) {
    this(type, BLOCK);
    WarmUp.once(type, new MinEncoder(type, WarmUp.ELEMENTS)::fitRamp);
  }

  private MinEncoder(DType type, int elements) {
    this.type = type;
    batch = new Batch(elements);
    fit = new Affine(batch, type == DType.Q4_1 ? 15 : 31, true);
  }

  @Override
  public void encode(float[] x, float @Nullable [] importance, int n, byte[] dst, int dstOffset) {
    int at = dstOffset;
    for (int i = 0; i < n; i += BLOCK * LANES) {
      int count = Math.min(BLOCK * LANES, n - i);
      batch.load(x, i, count, importance);
      fit();
      for (int l = 0; l * BLOCK < count; l++) {
        Half.put(dst, at, scales[l]);
        Half.put(dst, at + 2, -mins[l]);
        if (type == DType.Q5_1) {
          SuperBlockBits.putFifthBitsOf32(batch.q, l, dst, at + 4);
        }
        SuperBlockBits.putHalves(batch.q, l, dst, at + (type == DType.Q5_1 ? 8 : 4));
        at += type.blockBytes();
      }
    }
  }

  private void fitRamp() {
    batch.loadRamp();
    fit();
  }

  private void fit() {
    fit.search(-0.9f, 0.1f, 19, 2);
    for (int l = 0; l < LANES; l++) {
      scales[l] = Half.round(fit.scale[l]);
      mins[l] = Half.round(fit.min[l]);
    }
    fit.choose(scales, mins);
  }
}
