package dev.ridgeline.quantize.block;

/** What a format can multiply a scale by. Works on one vector's lanes, from {@code lane} on. */
interface Levels {
  /**
   * For q the level nearest to {@code x * inverse}, the sums of {@code w x q} and of {@code w q^2}.
   */
  void sums(Batch batch, float[] inverse, float[] sxq, float[] sqq, int lane);

  /** Leaves the index of the nearest level of each element in the batch, the lowest level 0. */
  void choose(Batch batch, float[] inverse, int lane);
}
