package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.vector.Lanes.N;
import static dev.ridgeline.cpu.vector.Lanes.broadcast;
import static dev.ridgeline.cpu.vector.Lanes.load;
import static dev.ridgeline.cpu.vector.Lanes.store;

import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.graph.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Work on rows and elements of float32 at raw addresses. */
public final class Rows {
  /** Elements of the widest vector: shares of one array best begin at its multiples. */
  public static final int UNIT = 16;

  private static final float MINUS_2_ROOT_2_OVER_PI = (float) (-2 * Math.sqrt(2 / Math.PI));

  private Rows() {}

  /** {@code out = x / sqrt(mean(x^2) + eps) * weight} over one group of {@code count} elements. */
  public static void rmsNorm(long x, long weight, float eps, long out, int count) {
    float factor = rmsFactor(x, eps, count);
    FloatVector f = broadcast(factor);
    int whole = count & -N;
    for (int i = 0; i < whole; i += N) {
      store(load(x + 4L * i).mul(f).mul(load(weight + 4L * i)), out + 4L * i);
    }
    for (int i = whole; i < count; i++) {
      Memory.f32(out + 4L * i, Memory.f32(x + 4L * i) * factor * Memory.f32(weight + 4L * i));
    }
  }

  private static float rmsFactor(long x, float eps, int count) {
    float squares = DotKernel.dot1(x, x, count);
    return (float) (1 / Math.sqrt(squares / count + eps));
  }

  /** {@code out = a + b * scale}; out may be a. */
  public static void add(long a, long b, float scale, long out, int count) {
    FloatVector s = broadcast(scale);
    int i = 0;
    for (; i + N <= count; i += N) {
      store(load(b + 4L * i).fma(s, load(a + 4L * i)), out + 4L * i);
    }
    if (i < count) {
      int rest = count - i;
      store(load(b + 4L * i, rest).fma(s, load(a + 4L * i, rest)), out + 4L * i, rest);
    }
  }

  /** {@code out = x * factor}; out may be x. */
  public static void scale(long x, float factor, long out, int count) {
    FloatVector f = broadcast(factor);
    int i = 0;
    for (; i + N <= count; i += N) {
      store(load(x + 4L * i).mul(f), out + 4L * i);
    }
    if (i < count) {
      store(load(x + 4L * i, count - i).mul(f), out + 4L * i, count - i);
    }
  }

  /** {@code out = cap * tanh(x / cap)}; out may be x. */
  public static void softCap(long x, float cap, long out, int count) {
    int i = 0;
    for (; i + N <= count; i += N) {
      store(softCap(load(x + 4L * i), cap), out + 4L * i);
    }
    if (i < count) {
      store(softCap(load(x + 4L * i, count - i), cap), out + 4L * i, count - i);
    }
  }

  private static FloatVector softCap(FloatVector x, float cap) {
    return Lanes.tanh(x.mul(1 / cap)).mul(cap);
  }

  /** {@code out = act(gate) * up}; out may be gate. */
  public static void gate(Activation activation, long gate, long up, long out, int count) {
    int whole = count & -N;
    switch (activation) {
      case SILU -> {
        for (int i = 0; i < whole; i += N) {
          store(silu(load(gate + 4L * i), load(up + 4L * i)), out + 4L * i);
        }
      }
      case GELU_TANH -> {
        for (int i = 0; i < whole; i += N) {
          store(gelu(load(gate + 4L * i), load(up + 4L * i)), out + 4L * i);
        }
      }
      case SWIGLU_OAI -> {
        for (int i = 0; i < whole; i += N) {
          store(swigluOai(load(gate + 4L * i), load(up + 4L * i)), out + 4L * i);
        }
      }
    }
    if (whole < count) {
      long at = 4L * whole;
      gateTail(activation, gate + at, up + at, out + at, count - whole);
    }
  }

  private static void gateTail(Activation activation, long gate, long up, long out, int count) {
    FloatVector g = load(gate, count);
    FloatVector u = load(up, count);
    store(
        switch (activation) {
          case SILU -> silu(g, u);
          case GELU_TANH -> gelu(g, u);
          case SWIGLU_OAI -> swigluOai(g, u);
        },
        out,
        count);
  }

  private static FloatVector silu(FloatVector gate, FloatVector up) {
    return gate.div(Lanes.exp(gate.neg()).add(1)).mul(up);
  }

  /** {@code 0.5 (1 + tanh z) = 1 / (1 + exp(-2 z))}. */
  private static FloatVector gelu(FloatVector gate, FloatVector up) {
    FloatVector z = gate.mul(gate).mul(0.044715f).add(1).mul(gate);
    return gate.div(Lanes.exp(z.mul(MINUS_2_ROOT_2_OVER_PI)).add(1)).mul(up);
  }

  private static FloatVector swigluOai(FloatVector gate, FloatVector up) {
    FloatVector g = gate.min(7);
    return g.div(Lanes.exp(g.mul(-1.702f)).add(1)).mul(up.min(7).max(-7).add(1));
  }

  /**
   * Rotates the first {@code 2 * pairs} elements of a head: {@code (x[i], x[i + pairs])} by the
   * angle whose cosine and sine stand at {@code table + i} and {@code table + pairs + i}.
   */
  public static void ropeNeox(long x, long table, int pairs, long out) {
    int whole = pairs & -N;
    for (int i = 0; i < whole; i += N) {
      FloatVector a = load(x + 4L * i);
      FloatVector b = load(x + 4L * (i + pairs));
      FloatVector cos = load(table + 4L * i);
      FloatVector sin = load(table + 4L * (i + pairs));
      store(a.mul(cos).sub(b.mul(sin)), out + 4L * i);
      store(b.mul(cos).add(a.mul(sin)), out + 4L * (i + pairs));
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

  /** The index of the largest of {@code count} elements, the lowest among equals. */
  public static int argmax(long x, int count) {
    int whole = count & -N;
    FloatVector best = broadcast(Float.NEGATIVE_INFINITY);
    for (int i = 0; i < whole; i += N) {
      best = best.max(load(x + 4L * i));
    }
    float max = best.reduceLanes(VectorOperators.MAX);
    for (int i = whole; i < count; i++) {
      max = Math.max(max, Memory.f32(x + 4L * i));
    }
    return indexOf(x, max, count);
  }

  private static int indexOf(long x, float value, int count) {
    int whole = count & -N;
    for (int i = 0; i < whole; i += N) {
      VectorMask<Float> equal = load(x + 4L * i).compare(VectorOperators.EQ, value);
      if (equal.anyTrue()) {
        return i + equal.firstTrue();
      }
    }
    for (int i = whole; i < count; i++) {
      if (Memory.f32(x + 4L * i) == value) {
        return i;
      }
    }
    return 0;
  }
}
