package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Instruction.*;
import static dev.ridgeline.cpu.machine.Operand.xmm;
import static dev.ridgeline.cpu.machine.Operand.zmm;

import dev.ridgeline.cpu.machine.Operand.Vec;
import dev.ridgeline.tensor.DType;

/**
 * Formats of 256 elements whose element i of a group of 32 takes its low bits from byte i of some
 * 32 bytes, shifted, and its high bits, if any, from byte i of 32 others.
 */
final class PlaneBlocks extends Unpacker {
  /** Where some bits of a group's indices lie: mask after a shift (to the left if negative). */
  private record Plane(int offset, int rightShift, int mask) {}

  private Vec lowMask = xmm(0);
  private Vec highMask = xmm(0);
  private Vec shuffleFirst = xmm(0);
  private Vec shuffleSecond = xmm(0);
  private Vec shiftFirst = xmm(0);
  private Vec shiftSecond = xmm(0);
  private Vec maskFirst = xmm(0);
  private Vec maskSecond = xmm(0);
  private Vec spread = xmm(0);

  PlaneBlocks(DType type, Assembler a, QuantLanes lanes) {
    super(type, a, lanes);
  }

  private Plane low(int g) {
    int half = g / 4;
    int quarter = g % 4;
    return switch (type()) {
      case Q2_K -> new Plane(16 + 32 * half, 2 * quarter, 3);
      case Q3_K -> new Plane(32 + 32 * half, 2 * quarter, 3);
      case Q4_K -> new Plane(16 + 32 * (g / 2), 4 * (g % 2), 15);
      case Q5_K -> new Plane(48 + 32 * (g / 2), 4 * (g % 2), 15);
      case Q6_K -> new Plane(64 * half + 32 * (g % 2), 4 * (quarter / 2), 15);
      default -> throw new IllegalStateException(type() + " has no planes");
    };
  }

  /** The high bits, shifted to where they stand in an index; mask 0 where there are none. */
  private Plane high(int g) {
    return switch (type()) {
      case Q3_K -> new Plane(0, g - 2, 4);
      case Q5_K -> new Plane(16, g - 4, 16);
      case Q6_K -> new Plane(128 + 32 * (g / 4), 2 * (g % 4) - 4, 48);
      default -> new Plane(0, 0, 0);
    };
  }

  @Override
  void prepare() {
    lowMask = keep(lanes.constant(a, low(0).mask()));
    if (high(0).mask() != 0) {
      highMask = keep(lanes.constant(a, high(0).mask()));
    }
    switch (type()) {
      case Q4_K, Q5_K -> {
        // From d, dmin, scales[12]: low bits of scales 0-3, 4-7, minimums 0-3, 4-7; then high bits.
        shuffleFirst = keep(bytes(4, 5, 6, 7, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15), 128);
        shiftFirst = keep(a.constant(0, 0, 0, 4), 128);
        maskFirst = keep(a.constant(0x3F3F3F3F, 0x0F0F0F0F, 0x3F3F3F3F, 0x0F0F0F0F), 128);
        shuffleSecond = keep(bytes(4, 5, 6, 7, 4, 5, 6, 7, 8, 9, 10, 11, 8, 9, 10, 11), 128);
        shiftSecond = keep(a.constant(2, 2, 2, 2), 128);
        maskSecond = keep(a.constant(0, 0x30303030, 0, 0x30303030), 128);
        spread = keep(a.constant(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1), 512);
      }
      case Q3_K -> {
        // From the last two quants, scales[12], d: low bits of scales 0-7 and 8-15; then high bits.
        shuffleFirst = keep(bytes(2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5, 6, 7, 8, 9), 128);
        shiftFirst = keep(a.constant(0, 0, 4, 4), 128);
        maskFirst = keep(a.constant(0x0F0F0F0F, 0x0F0F0F0F, 0x0F0F0F0F, 0x0F0F0F0F), 128);
        shuffleSecond =
            keep(bytes(10, 11, 12, 13, 10, 11, 12, 13, 10, 11, 12, 13, 10, 11, 12, 13), 128);
        shiftSecond = keep(a.constant(0, 2, 4, 6), 128);
        maskSecond = keep(a.constant(0x03030303, 0x03030303, 0x03030303, 0x03030303), 128);
      }
      default -> {}
    }
  }

  private Operand.Mem bytes(int... values) {
    byte[] all = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      all[i] = (byte) values[i];
    }
    return a.constant(all);
  }

  @Override
  void scales() {
    switch (type()) {
      case Q2_K -> nibbleScales();
      case Q3_K -> {
        gather(94, 4);
        a.op(VPMOVZXBD, zmm(0), xmm(0));
        a.op(VPSUBD, zmm(0), zmm(0), a.constant(32).repeat());
        timesD(108);
      }
      case Q4_K, Q5_K -> {
        gather(0, 0);
        a.op(VPMOVZXBD, zmm(0), xmm(0));
        a.op(VCVTDQ2PS, zmm(0), zmm(0));
        a.op(VPBROADCASTD, xmm(1), block(0));
        a.op(VCVTPH2PS, xmm(1), xmm(1));
        a.op(VPERMD, zmm(1), spread, zmm(1));
        a.op(VMULPS, zmm(0), zmm(0), zmm(1));
        a.store(VMOVDQU32_STORE, scale(0), Operand.ymm(0));
        a.store(VEXTRACTI64X4, minimum(0), zmm(0), 1);
      }
      case Q6_K -> {
        a.op(VPMOVSXBD, zmm(0), block(192));
        timesD(208);
      }
      default -> throw new IllegalStateException(type() + " has no planes");
    }
  }

  /** 16 integers in register 0, times the float16 at {@code d}. */
  private void timesD(int d) {
    a.op(VCVTDQ2PS, zmm(0), zmm(0));
    half(zmm(1), d);
    a.op(VMULPS, zmm(0), zmm(0), zmm(1));
    a.store(VMOVDQU32_STORE, scale(0), zmm(0));
  }

  /** Scale in the low nibble, minimum in the high one. */
  private void nibbleScales() {
    a.op(VPMOVZXBD, zmm(2), block(0));
    a.op(VPANDD, zmm(0), zmm(2), a.constant(15).repeat());
    timesD(80);
    a.op(VPSRLD, zmm(0), zmm(2), 4);
    a.op(VCVTDQ2PS, zmm(0), zmm(0));
    half(zmm(1), 82);
    a.op(VMULPS, zmm(0), zmm(0), zmm(1));
    a.store(VMOVDQU32_STORE, minimum(0), zmm(0));
  }

  /**
   * Six-bit integers from the 16 bytes at {@code offset}: {@code (first >> shiftFirst & maskFirst)
   * | (second >> shiftSecond & maskSecond) << leftShift}, as bytes of register 0.
   */
  private void gather(int offset, int leftShift) {
    a.op(VMOVDQU32_LOAD, xmm(2), block(offset));
    a.op(VPSHUFB, xmm(0), xmm(2), shuffleFirst);
    a.op(VPSRLVD, xmm(0), xmm(0), shiftFirst);
    a.op(VPANDD, xmm(0), xmm(0), maskFirst);
    a.op(VPSHUFB, xmm(1), xmm(2), shuffleSecond);
    a.op(VPSRLVD, xmm(1), xmm(1), shiftSecond);
    a.op(VPANDD, xmm(1), xmm(1), maskSecond);
    if (leftShift > 0) {
      a.op(VPSLLD, xmm(1), xmm(1), leftShift);
    }
    a.op(VPORD, xmm(0), xmm(0), xmm(1));
  }

  @Override
  void indices(int group, Vec dst) {
    Vec bits = lanes.register(7);
    shifted(low(group), dst);
    if (high(group).mask() == 0) {
      a.op(VPANDD, dst, dst, lowMask);
    } else {
      shifted(high(group), bits);
      a.op(VPANDD, bits, bits, highMask);
      a.op(VPTERNLOGD, dst, lowMask, bits, AND_OR);
    }
  }

  /** {@code dst & second | third}. */
  private static final int AND_OR = 0xEA;

  private void shifted(Plane plane, Vec dst) {
    lanes.load(a, dst, block(plane.offset()));
    if (plane.rightShift() > 0) {
      a.op(VPSRLW, dst, dst, plane.rightShift());
    } else if (plane.rightShift() < 0) {
      a.op(VPSLLW, dst, dst, -plane.rightShift());
    }
  }
}
