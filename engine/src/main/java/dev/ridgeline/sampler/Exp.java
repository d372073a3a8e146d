package dev.ridgeline.sampler;

/**
 * {@code e^x} from additions and multiplications alone, so that every machine gets the same bits
 * (Math.exp may differ in the last one) and a row of 128 K logits costs well under a millisecond.
 */
public final class Exp {
  private static final int STEPS = 32;
  private static final double STEPS_PER_E = STEPS * 1.4426950408889634; // 32 / ln 2
  // ln 2 / 32 in two parts: the first ends in zeros, so that k times it is exact.
  private static final double STEP_HIGH = 6.93147180369123816490e-01 / STEPS;
  private static final double STEP_LOW = 1.90821492927058770002e-10 / STEPS;
  private static final double SMALLEST = -708;
  private static final double[] POWERS = new double[STEPS]; // 2^(i / 32)

  static {
    for (int i = 0; i < STEPS; i++) {
      POWERS[i] = StrictMath.pow(2, (double) i / STEPS);
    }
  }

  private Exp() {}

  /**
   * For {@code x <= 0}; 0 below -708. Relative error under 2e-12: with {@code r = x - k ln 2 / 32},
   * |r| <= 0.0109, the Taylor series to r^4 leaves r^5 / 5!, 1.3e-12.
   */
  public static double exp(double x) {
    if (x < SMALLEST) {
      return 0;
    }
    double k = Math.rint(x * STEPS_PER_E);
    double r = (x - k * STEP_HIGH) - k * STEP_LOW;
    double p = 1 + r * (1 + r * (1.0 / 2 + r * (1.0 / 6 + r * (1.0 / 24))));
    int steps = (int) k;
    long exponent = (steps >> 5) + 1023L;
    return p * POWERS[steps & (STEPS - 1)] * Double.longBitsToDouble(exponent << 52);
  }
}
