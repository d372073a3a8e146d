package dev.ridgeline.testing;

import dev.ridgeline.quant.Quantization;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How far a backend's float32 results may be from the reference's, which are exact but for one
 * rounding. All bounds come from two models, with u = 2^-24:
 *
 * <ul>
 *   <li>Accumulating n terms in float32, in any order, errs by at most {@code 6 sqrt(n) u
 *       sum|term|} but with a probability of about 1e-7 (Higham and Mary 2019); this also covers a
 *       few roundings in making each term.
 *   <li>Rounding activation i to int8 moves it by at most {@code delta_i = (largest |a| of its
 *       block) / 254}, independently of its neighbours. By Hoeffding's inequality their weighted
 *       sum errs by more than {@code 6 sqrt(sum (w_i delta_i)^2)} with a probability under 4e-8.
 *       Blocks are 32 activations.
 * </ul>
 *
 * Where a weight is {@code d q - m}, a kernel may sum both parts apart, so that |w| is replaced by
 * {@code |d q| + |m|}. F32, F16 and BF16 weights are multiplied by float32 activations. Worst-case
 * bounds instead of these probable ones would let wrong kernels pass: for 4,096 Gaussians one of
 * them is as large as the result.
 */
public final class Tolerance {
  private static final double U = 0x1p-24;
  private static final double CONFIDENCE = 6;
  private static final int ACTIVATION_BLOCK = 32;

  /** exp, tanh and divisions of a backend: 2^-20 of the result's natural size. */
  private static final double FUNCTION = 0x1p-20;

  private Tolerance() {}

  /** Error of summing {@code n} terms in float32 over the sum of their magnitudes. */
  public static double accumulation(int n) {
    return CONFIDENCE * Math.sqrt(n) * U;
  }

  /** Of one rounding or two: {@code 2^-23 magnitude}. */
  public static double rounding(double magnitude) {
    return 2 * U * magnitude;
  }

  /** Of a function such as exp or tanh whose result or argument has this magnitude. */
  public static double function(double magnitude) {
    return FUNCTION * magnitude;
  }

  /** {@code |d q| + |m|} of each element of a row; |w| for formats without minimums. */
  public static float[] terms(Tensor tensor, long row) {
    int n = Math.toIntExact(tensor.shape().ne0());
    Quantization format = Quantization.of(tensor.type());
    float[] whole = new float[n];
    format.decode(tensor.data(), row * tensor.rowBytes(), whole, 0, n);
    float[] scaled = whole;
    int minAt = minimumAt(tensor.type());
    if (minAt >= 0) {
      MemorySegment copy =
          MemorySegment.ofArray(
              tensor
                  .data()
                  .asSlice(row * tensor.rowBytes(), tensor.rowBytes())
                  .toArray(ValueLayout.JAVA_BYTE));
      for (long at = minAt; at < copy.byteSize(); at += tensor.type().blockBytes()) {
        copy.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) 0);
      }
      scaled = new float[n];
      format.decode(copy, 0, scaled, 0, n);
    }
    float[] terms = new float[n];
    for (int i = 0; i < n; i++) {
      terms[i] = Math.abs(scaled[i]) + Math.abs(whole[i] - scaled[i]);
    }
    return terms;
  }

  /** Largest move of each activation by rounding to int8 for weights of {@code type}. */
  public static float[] activationRounding(DType type, float[] x) {
    float[] delta = new float[x.length];
    if (type.isQuantized()) {
      for (int from = 0; from < x.length; from += ACTIVATION_BLOCK) {
        float largest = 0;
        for (int i = from; i < from + ACTIVATION_BLOCK; i++) {
          largest = Math.max(largest, Math.abs(x[i]));
        }
        for (int i = from; i < from + ACTIVATION_BLOCK; i++) {
          delta[i] = largest / 254;
        }
      }
    }
    return delta;
  }

  /**
   * Of {@code sum_i w_i x_i}.
   *
   * @param terms of {@link #terms}
   * @param delta of {@link #activationRounding}
   */
  public static double product(float[] terms, float[] x, float[] delta) {
    double squares = 0;
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      squares += Math.pow((double) terms[i] * delta[i], 2);
      sum += (double) terms[i] * Math.abs(x[i]);
    }
    return CONFIDENCE * Math.sqrt(squares) + accumulation(x.length) * sum;
  }

  /**
   * Of {@code act(g) * u} where g and u err by {@code gateError} and {@code upError}. The slopes of
   * all activations stay under 1.13, and {@code |act(g)| <= |g|}; gpt-oss adds 1 to u.
   */
  public static double gated(double gate, double gateError, double up, double upError) {
    double g = Math.abs(gate) + gateError;
    double u = Math.abs(up) + upError + 1;
    return 1.13 * gateError * u + g * upError + function(g * u);
  }

  /**
   * Of attention's result, whose weights sum to at most 1: a score errs by {@code scoreError}, a
   * weight by the factor {@code exp(2 scoreError)}, and so the result by that share of the largest
   * value, plus the error of the stored values themselves.
   */
  public static double attention(
      double scoreError, int context, double largestValue, double valueError) {
    double share = Math.expm1(2 * scoreError) + accumulation(context) + FUNCTION;
    return share * largestValue + valueError;
  }

  /**
   * Of a rotated element: the angle errs by one rounding of its float32 value, sine and cosine by
   * another.
   */
  public static double rotation(double angle, double pairMagnitude) {
    return 4 * U * (1 + angle) * pairMagnitude;
  }

  private static int minimumAt(DType type) {
    return switch (type) {
      case Q4_1, Q5_1, Q4_K, Q5_K -> 2;
      case Q2_K -> 82;
      case F32, F16, BF16, Q4_0, Q5_0, Q8_0, Q3_K, Q6_K, IQ4_NL, IQ4_XS, MXFP4 -> -1;
      case I8, I16, I32, I64, F64 ->
          throw new IllegalArgumentException(type + " is not a weight format");
    };
  }
}
