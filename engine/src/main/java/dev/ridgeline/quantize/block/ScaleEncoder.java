package dev.ridgeline.quantize.block;

import static dev.ridgeline.quantize.block.Batch.LANES;

import dev.ridgeline.tensor.DType;

/** Q4_0, Q5_0, IQ4_NL: 32 elements, {@code x = d * level}; d from a search. */
final class ScaleEncoder extends BatchEncoder {
  private static final int BLOCK = 32;

  /** The levels of IQ4_NL and IQ4_XS. */
  static final Levels IQ4 =
      new TableLevels(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

  /** The lowest level and the highest, with some on both sides of each. */
  static final float[] IQ4_TARGETS =
      Targets.both(Targets.around(-127, 1, 7), Targets.around(113, 1, 7));

  private final Symmetric fit;
  private final float[] targets;
  private final float[] scales = new float[LANES];

  ScaleEncoder(DType type) {
    this(type, BLOCK);
    WarmUp.once(type, new ScaleEncoder(type, WarmUp.ELEMENTS)::fitRamp);
  }

  private ScaleEncoder(DType type, int elements) {
    super(type, 1, elements);
    switch (type) {
      case Q4_0 -> {
        fit = new Symmetric(batch, new IntegerLevels(8), -8);
        targets = Targets.around(-8, 0.1f, 9);
      }
      case Q5_0 -> {
        fit = new Symmetric(batch, new IntegerLevels(16), -16);
        targets = Targets.around(-16, 0.2f, 5);
      }
      default -> {
        fit = new Symmetric(batch, IQ4, -127);
        targets = IQ4_TARGETS;
      }
    }
  }

  @Override
  void fit() {
    fit.search(targets, 2);
    for (int l = 0; l < LANES; l++) {
      scales[l] = Half.round(fit.scale[l]);
    }
    fit.choose(scales);
  }

  @Override
  void pack(int lane, byte[] dst, int at) {
    Half.put(dst, at, scales[lane]);
    if (type == DType.Q5_0) {
      SuperBlockBits.putFifthBitsOf32(batch.q, lane, dst, at + 2);
    }
    SuperBlockBits.putHalves(batch.q, lane, dst, at + (type == DType.Q5_0 ? 6 : 2));
  }
}
