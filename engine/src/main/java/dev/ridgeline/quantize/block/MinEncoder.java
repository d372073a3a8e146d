package dev.ridgeline.quantize.block;

import static dev.ridgeline.quantize.block.Batch.LANES;

import dev.ridgeline.tensor.DType;

/** Q4_1, Q5_1: 32 elements, {@code x = d * q + m}; d and m from a search. */
final class MinEncoder extends BatchEncoder {
  private static final int BLOCK = 32;

  private final Affine fit;
  private final float[] scales = new float[LANES];
  private final float[] mins = new float[LANES];

  MinEncoder(DType type) {
    this(type, BLOCK);
    WarmUp.once(type, new MinEncoder(type, WarmUp.ELEMENTS)::fitRamp);
  }

  private MinEncoder(DType type, int elements) {
    super(type, 1, elements);
    fit = new Affine(batch, type == DType.Q4_1 ? 15 : 31, true);
  }

  @Override
  void fit() {
    fit.search(-0.9f, 0.1f, 19, 2);
    for (int l = 0; l < LANES; l++) {
      scales[l] = Half.round(fit.scale[l]);
      mins[l] = Half.round(fit.min[l]);
    }
    fit.choose(scales, mins);
  }

  @Override
  void pack(int lane, byte[] dst, int at) {
    Half.put(dst, at, scales[lane]);
    Half.put(dst, at + 2, -mins[lane]);
    if (type == DType.Q5_1) {
      SuperBlockBits.putFifthBitsOf32(batch.q, lane, dst, at + 4);
    }
    SuperBlockBits.putHalves(batch.q, lane, dst, at + (type == DType.Q5_1 ? 8 : 4));
  }
}
