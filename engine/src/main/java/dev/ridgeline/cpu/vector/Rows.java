package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.kernel.Memory.ALL;
import static dev.ridgeline.cpu.kernel.Memory.MASK;
import static dev.ridgeline.cpu.vector.Lanes.BYTES;
import static dev.ridgeline.cpu.vector.Lanes.F;
import static dev.ridgeline.cpu.vector.Lanes.LE;
import static dev.ridgeline.cpu.vector.Lanes.N;

import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.graph.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Work on rows and elements of float32 at raw addresses. What is left after the last whole vector
 * is done by scalar twins with the same roundings, so that an element's result does not depend on
 * where a thread's share ends.
 */
public final class Rows {
  /** Elements of the widest vector: shares of one array best begin at its multiples. */
  public static final int UNIT = 16;

  private static final float MINUS_2_ROOT_2_OVER_PI = (float) (-2 * Math.sqrt(2 / Math.PI));

  private Rows() {}

  /** {@code out = x / sqrt(mean(x^2) + eps) * weight} over one group of {@code count} elements. */
  public static void rmsNorm(long x, long weight, float eps, long out, int count) {
    float factor = (float) (1 / Math.sqrt(squares(x, count) / count + eps));
    int whole = count & -N;
    for (int i = 0; i < whole; i += N) {
      FloatVector.fromMemorySegment(F, ALL, x + 4L * i & MASK, LE)
          .mul(factor)
          .mul(FloatVector.fromMemorySegment(F, ALL, weight + 4L * i & MASK, LE))
          .intoMemorySegment(ALL, out + 4L * i & MASK, LE);
    }
    for (int i = whole; i < count; i++) {
      Memory.f32(out + 4L * i, Memory.f32(x + 4L * i) * factor * Memory.f32(weight + 4L * i));
    }
  }

  private static float squares(long x, int count) {
    long sums = ThreadScratch.address();
    int whole = count & -N;
    Dots.clear(sums);
    Dots.row(x, x, 4 * whole, sums);
    float sum = Dots.fold(sums, sums + BYTES);
    for (int i = whole; i < count; i++) {
      float v = Memory.f32(x + 4L * i);
      sum += v * v;
    }
    return sum;
  }

  /** {@code out = a + b * scale}; out may be a. */
  public static void add(long a, long b, float scale, long out, int count) {
    int whole = count & -N;
    for (int i = 0; i < whole; i += N) {
      FloatVector.fromMemorySegment(F, ALL, b + 4L * i & MASK, LE)
          .fma(
              FloatVector.broadcast(F, scale),
              FloatVector.fromMemorySegment(F, ALL, a + 4L * i & MASK, LE))
          .intoMemorySegment(ALL, out + 4L * i & MASK, LE);
    }
    for (int i = whole; i < count; i++) {
      Memory.f32(out + 4L * i, Math.fma(Memory.f32(b + 4L * i), scale, Memory.f32(a + 4L * i)));
    }
  }

  /** {@code out = x * factor}; out may be x. */
  public static void scale(long x, float factor, long out, int count) {
    int whole = count & -N;
    for (int i = 0; i < whole; i += N) {
      FloatVector.fromMemorySegment(F, ALL, x + 4L * i & MASK, LE)
          .mul(factor)
          .intoMemorySegment(ALL, out + 4L * i & MASK, LE);
    }
    for (int i = whole; i < count; i++) {
      Memory.f32(out + 4L * i, Memory.f32(x + 4L * i) * factor);
    }
  }

  /** {@code out = cap * tanh(x / cap)}; out may be x. */
  public static void softCap(long x, float cap, long out, int count) {
    int whole = count & -N;
    Exp.softCap(x, cap, out, whole);
    for (int i = whole; i < count; i++) {
      Memory.f32(out + 4L * i, Exp.softCap(Memory.f32(x + 4L * i), cap));
    }
  }

  /** {@code out = act(gate) * up}; out may be gate. */
  public static void gate(Activation activation, long gate, long up, long out, int count) {
    switch (activation) {
      case SILU -> gate(gate, up, -1, 0, Float.POSITIVE_INFINITY, 0, out, count);
      // 0.5 (1 + tanh z) = 1 / (1 + exp(-2 z))
      case GELU_TANH ->
          gate(
              gate,
              up,
              MINUS_2_ROOT_2_OVER_PI,
              MINUS_2_ROOT_2_OVER_PI * 0.044715f,
              Float.POSITIVE_INFINITY,
              0,
              out,
              count);
      case SWIGLU_OAI -> gate(gate, up, -1.702f, 0, 7, 1, out, count);
    }
  }

  private static void gate(
      long gate, long up, float c1, float c3, float limit, float more, long out, int count) {
    int whole = count & -N;
    Exp.gate(gate, up, c1, c3, limit, more, out, whole);
    for (int i = whole; i < count; i++) {
      float g = Memory.f32(gate + 4L * i);
      float u = Memory.f32(up + 4L * i);
      Memory.f32(out + 4L * i, Exp.gate(g, u, c1, c3, limit, more));
    }
  }

  /**
   * Rotates the first {@code 2 * pairs} elements of a head: {@code (x[i], x[i + pairs])} by the
   * angle whose cosine and sine stand at {@code table + i} and {@code table + pairs + i}.
   */
  public static void ropeNeox(long x, long table, int pairs, long out) {
    int whole = pairs & -N;
    long half = 4L * pairs;
    for (int i = 0; i < whole; i += N) {
      long p = x + 4L * i;
      long t = table + 4L * i;
      long to = out + 4L * i;
      FloatVector a = FloatVector.fromMemorySegment(F, ALL, p & MASK, LE);
      FloatVector b = FloatVector.fromMemorySegment(F, ALL, p + half & MASK, LE);
      FloatVector cos = FloatVector.fromMemorySegment(F, ALL, t & MASK, LE);
      FloatVector sin = FloatVector.fromMemorySegment(F, ALL, t + half & MASK, LE);
      a.mul(cos).sub(b.mul(sin)).intoMemorySegment(ALL, to & MASK, LE);
      b.mul(cos).add(a.mul(sin)).intoMemorySegment(ALL, to + half & MASK, LE);
    }
    for (int i = whole; i < pairs; i++) {
      rotate(x, i, i + pairs, table + 4L * i, table + 4L * (i + pairs), out);
    }
  }

  /** As {@link #ropeNeox}, for pairs {@code (x[2i], x[2i + 1])}. */
  public static void ropeNorm(long x, long table, int pairs, long out) {
    for (int i = 0; i < pairs; i++) {
      rotate(x, 2 * i, 2 * i + 1, table + 4L * i, table + 4L * (i + pairs), out);
    }
  }

  private static void rotate(long x, int first, int second, long cos, long sin, long out) {
    float a = Memory.f32(x + 4L * first);
    float b = Memory.f32(x + 4L * second);
    Memory.f32(out + 4L * first, a * Memory.f32(cos) - b * Memory.f32(sin));
    Memory.f32(out + 4L * second, b * Memory.f32(cos) + a * Memory.f32(sin));
  }

  /**
   * The index of the largest of {@code count} elements, the lowest among equals; -1 if one is
   * positive infinity or not a number.
   */
  public static int argmax(long x, int count) {
    int whole = count & -N;
    float max = max(x, whole);
    for (int i = whole; i < count; i++) {
      max = Math.max(max, Memory.f32(x + 4L * i));
    }
    if (!(max < Float.POSITIVE_INFINITY)) {
      return -1;
    }
    int from = firstVectorWith(x, max, whole);
    for (int i = from; i < count; i++) {
      if (Memory.f32(x + 4L * i) == max) {
        return i;
      }
    }
    return 0;
  }

  /** The largest of {@code count} elements, whole vectors; minus infinity of none. */
  static float max(long x, int count) {
    FloatVector best = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < count; i += N) {
      best = best.max(FloatVector.fromMemorySegment(F, ALL, x + 4L * i & MASK, LE));
    }
    return best.reduceLanes(VectorOperators.MAX);
  }

  private static int firstVectorWith(long x, float value, int count) {
    for (int i = 0; i < count; i += N) {
      VectorMask<Float> equal =
          FloatVector.fromMemorySegment(F, ALL, x + 4L * i & MASK, LE)
              .compare(VectorOperators.EQ, value);
      if (equal.anyTrue()) {
        return i;
      }
    }
    return count;
  }
}
