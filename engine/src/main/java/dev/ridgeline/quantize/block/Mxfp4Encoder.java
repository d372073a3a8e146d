package dev.ridgeline.quantize.block;

import static dev.ridgeline.quantize.block.Batch.LANES;

import dev.ridgeline.tensor.DType;

/**
 * MXFP4: 32 elements, {@code x = level * 2^(e - 128)}. The exponent that takes the extreme to 4..8
 * clips what is past 6; the next one does not: the better of the two, and of the one below.
 */
final class Mxfp4Encoder extends BatchEncoder {
  private static final int BLOCK = 32;
  private static final int MAX_EXPONENT = 254;
  private static final float[] TABLE = {-12, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 12};

  private final Symmetric fit = new Symmetric(batch, new TableLevels(TABLE), 12);
  private final int[] exponent = new int[LANES];
  private final int[] chosen = new int[LANES];
  private final float[] scales = new float[LANES];
  private final float[] errors = new float[LANES];
  private final float[] best = new float[LANES];

  Mxfp4Encoder() {
    super(DType.MXFP4, 1, BLOCK);
  }

  @Override
  void fit() {
    search();
    for (int l = 0; l < LANES; l++) {
      scales[l] = Math.scalb(1f, chosen[l] - 128);
    }
    fit.choose(scales);
    for (int k = 0; k < batch.q.length; k++) {
      batch.q[k] = batch.q[k] >= 7 ? batch.q[k] - 7 : 15 - batch.q[k];
    }
  }

  @Override
  void pack(int lane, byte[] dst, int at) {
    dst[at] = (byte) chosen[lane];
    SuperBlockBits.putHalves(batch.q, lane, dst, at + 1);
  }

  private void search() {
    fit.search(new float[0], 0);
    for (int l = 0; l < LANES; l++) {
      exponent[l] = Math.clamp(Math.getExponent(fit.extreme[l]) - 2 + 127, 0, MAX_EXPONENT);
      best[l] = Float.POSITIVE_INFINITY;
    }
    for (int step = 0; step < 3; step++) {
      int shift = (step + 1) % 3 - 1; // 0, 1, -1
      for (int l = 0; l < LANES; l++) {
        scales[l] = Math.scalb(1f, Math.clamp(exponent[l] + shift, 0, MAX_EXPONENT) - 128);
      }
      fit.assess(scales, errors);
      for (int l = 0; l < LANES; l++) {
        if (errors[l] < best[l]) {
          best[l] = errors[l];
          chosen[l] = Math.clamp(exponent[l] + shift, 0, MAX_EXPONENT);
        }
      }
    }
  }
}
