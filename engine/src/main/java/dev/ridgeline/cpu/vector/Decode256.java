package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.vector.Lanes.N;
import static dev.ridgeline.cpu.vector.Lanes.broadcast;
import static dev.ridgeline.cpu.vector.Lanes.store;
import static dev.ridgeline.cpu.vector.Lanes.toFloat;
import static dev.ridgeline.cpu.vector.Lanes.u8;

import dev.ridgeline.cpu.kernel.Memory;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Formats with super-blocks of 256. Layouts as {@code quant} documents them. */
@SuppressWarnings("NarrowCalculation") // offsets within a row of weights: far below 2^31
final class Decode256 {
  private Decode256() {}

  static void q2_k(long from, long to, int elements) {
    for (int e = 0; e < elements; e += 256) {
      float d = Memory.f16(from + 80);
      float min = Memory.f16(from + 82);
      for (int group = 0; group < 16; group++) {
        int scale = Memory.i8(from + group);
        q2Group(
            from + 16 + (group & 8) * 4 + (group & 1) * 16,
            group & 6,
            to + 64 * group,
            d * (scale & 15),
            -min * (scale >> 4 & 15));
      }
      from += 84;
      to += 1024;
    }
  }

  private static void q2Group(long codes, int shift, long to, float scale, float min) {
    for (int i = 0; i < 16; i += N) {
      IntVector q = u8(codes + i).lanewise(VectorOperators.LSHR, shift).and(3);
      store(toFloat(q).fma(broadcast(scale), broadcast(min)), to + 4 * i);
    }
  }

  static void q3_k(long from, long to, int elements) {
    for (int e = 0; e < elements; e += 256) {
      float d = Memory.f16(from + 108);
      for (int group = 0; group < 16; group++) {
        q3Group(from, group, to + 64 * group, d * q3Scale(from + 96, group));
      }
      from += 110;
      to += 1024;
    }
  }

  /** Scale of a group of 16: four low bits and two high bits, less 32. */
  private static int q3Scale(long scales, int group) {
    int low = Memory.i8(scales + (group & 7)) >> ((group & 8) / 2) & 15;
    int high = Memory.i8(scales + 8 + (group & 3)) >> ((group >> 2) * 2) & 3;
    return (low | high << 4) - 32;
  }

  private static void q3Group(long block, int group, long to, float scale) {
    long codes = block + 32 + (group & 8) * 4 + (group & 1) * 16;
    long mask = block + (group & 1) * 16;
    for (int i = 0; i < 16; i += N) {
      IntVector low = u8(codes + i).lanewise(VectorOperators.LSHR, group & 6).and(3);
      IntVector high = u8(mask + i).lanewise(VectorOperators.LSHR, group >> 1).and(1);
      store(
          toFloat(low.add(high.lanewise(VectorOperators.LSHL, 2)).sub(4)).mul(broadcast(scale)),
          to + 4 * i);
    }
  }

  static void q4_k(long from, long to, int elements) {
    for (int e = 0; e < elements; e += 256) {
      float d = Memory.f16(from);
      float min = Memory.f16(from + 2);
      for (int pair = 0; pair < 4; pair++) {
        int scales = scaleAndMin(from + 4, 2 * pair);
        int scales2 = scaleAndMin(from + 4, 2 * pair + 1);
        FloatVector d1 = broadcast(d * (scales & 63));
        FloatVector m1 = broadcast(-min * (scales >> 8));
        FloatVector d2 = broadcast(d * (scales2 & 63));
        FloatVector m2 = broadcast(-min * (scales2 >> 8));
        for (int i = 0; i < 32; i += N) {
          IntVector q = u8(from + 16 + 32 * pair + i);
          store(toFloat(q.and(15)).fma(d1, m1), to + 256 * pair + 4 * i);
          store(
              toFloat(q.lanewise(VectorOperators.LSHR, 4)).fma(d2, m2),
              to + 256 * pair + 128 + 4 * i);
        }
      }
      from += 144;
      to += 1024;
    }
  }

  static void q5_k(long from, long to, int elements) {
    for (int e = 0; e < elements; e += 256) {
      float d = Memory.f16(from);
      float min = Memory.f16(from + 2);
      for (int group = 0; group < 8; group++) {
        int scales = scaleAndMin(from + 4, group);
        q5Group(from, group, to + 128 * group, d * (scales & 63), -min * (scales >> 8));
      }
      from += 176;
      to += 1024;
    }
  }

  private static void q5Group(long block, int group, long to, float scale, float min) {
    long codes = block + 48 + (group >> 1) * 32;
    int shift = (group & 1) * 4;
    for (int i = 0; i < 32; i += N) {
      IntVector low = u8(codes + i).lanewise(VectorOperators.LSHR, shift).and(15);
      IntVector high = u8(block + 16 + i).lanewise(VectorOperators.LSHR, group).and(1);
      store(
          toFloat(low.or(high.lanewise(VectorOperators.LSHL, 4)))
              .fma(broadcast(scale), broadcast(min)),
          to + 4 * i);
    }
  }

  /** The six-bit scale of group {@code j} of Q4_K and Q5_K, and eight bits further its minimum. */
  private static int scaleAndMin(long scales, int j) {
    if (j < 4) {
      return (Memory.i8(scales + j) & 63) | (Memory.i8(scales + j + 4) & 63) << 8;
    }
    int low = Memory.i8(scales + j + 4);
    return (low & 15)
        | (Memory.i8(scales + j - 4) >> 2 & 48)
        | (low >> 4 & 15) << 8
        | (Memory.i8(scales + j) >> 2 & 48) << 8;
  }

  static void q6_k(long from, long to, int elements) {
    for (int e = 0; e < elements; e += 256) {
      float d = Memory.f16(from + 208);
      for (int group = 0; group < 16; group++) {
        q6Group(from, group, to + 64 * group, d * Memory.i8(from + 192 + group));
      }
      from += 210;
      to += 1024;
    }
  }

  /**
   * Group g: quarter {@code g / 2 % 4} of half {@code g / 8}, its elements from {@code g % 2 * 16}.
   */
  private static void q6Group(long block, int group, long to, float scale) {
    int quarter = group >> 1 & 3;
    long low = block + (group >> 3) * 64 + (quarter & 1) * 32 + (group & 1) * 16;
    long high = block + 128 + (group >> 3) * 32 + (group & 1) * 16;
    for (int i = 0; i < 16; i += N) {
      IntVector l = u8(low + i).lanewise(VectorOperators.LSHR, (quarter & 2) * 2).and(15);
      IntVector h = u8(high + i).lanewise(VectorOperators.LSHR, quarter * 2).and(3);
      store(
          toFloat(l.or(h.lanewise(VectorOperators.LSHL, 4)).sub(32)).mul(broadcast(scale)),
          to + 4 * i);
    }
  }

  static void iq4_xs(long from, long to, int elements) {
    for (int e = 0; e < elements; e += 256) {
      float d = Memory.f16(from);
      int scalesHigh = Memory.u16(from + 2);
      for (int group = 0; group < 8; group++) {
        int low = Memory.i8(from + 4 + (group >> 1)) >> ((group & 1) * 4) & 15;
        int scale = (low | ((scalesHigh >> (2 * group)) & 3) << 4) - 32;
        Decode32.iq4(from + 8 + 16 * group, to + 128 * group, broadcast(d * scale));
      }
      from += 136;
      to += 1024;
    }
  }
}
