package dev.ridgeline.sampler;

/**
 * Random numbers as a function of (seed, position, stream), without a state: the same request gives
 * the same text on every machine, in every batch, after a preemption and after a rollback. It is
 * SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014)
 * read at an index.
 */
final class CounterRng {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;
  private static final int STREAMS = 2;

  private CounterRng() {}

  /** A uniform number in [0, 1) with 53 random bits; {@code stream} is 0 or 1. */
  static double uniform(long seed, int position, int stream) {
    long index = (long) position * STREAMS + stream + 1;
    return (mix(mix(seed) + index * GOLDEN_GAMMA) >>> 11) * 0x1p-53;
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
