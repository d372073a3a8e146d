package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Instruction.*;
import static dev.ridgeline.cpu.machine.Operand.at;
import static dev.ridgeline.cpu.machine.Operand.k;
import static dev.ridgeline.cpu.machine.Operand.xmm;
import static dev.ridgeline.cpu.machine.Operand.ymm;

import dev.ridgeline.cpu.machine.Operand.Vec;
import dev.ridgeline.tensor.DType;

/**
 * Formats with one scale to 32 elements whose byte j holds elements j and j + 16 in its nibbles (a
 * fifth bit apart from them), and Q8_0, whose byte j is element j.
 */
final class NibbleBlocks extends Unpacker {
  private Vec nibbleShifts = xmm(0);
  private Vec nibble = xmm(0);
  private Vec fifth = xmm(0);
  private Vec one = xmm(0);
  private Vec signFlip = xmm(0);
  private Vec subScaleLowShifts = xmm(0);
  private Vec subScaleHighShifts = xmm(0);

  NibbleBlocks(DType type, Assembler a, QuantLanes lanes) {
    super(type, a, lanes);
  }

  @Override
  void prepare() {
    switch (type()) {
      case Q8_0 -> signFlip = keep(lanes.constant(a, BYTE_ZERO));
      case Q5_0, Q5_1 -> fifth = keep(lanes.constant(a, 16));
      case MXFP4 -> one = keep(a.constant(0x01010101, 0x01010101, 0x01010101, 0x01010101), 128);
      case IQ4_XS -> {
        subScaleLowShifts = keep(a.constant(0, 4, 8, 12, 16, 20, 24, 28), 256);
        subScaleHighShifts = keep(a.constant(0, 2, 4, 6, 8, 10, 12, 14), 256);
      }
      default -> {}
    }
    if (type() != DType.Q8_0) {
      nibbleShifts = keep(lanes.shifts(a, 0, 4));
      nibble = keep(lanes.constant(a, 15));
    }
  }

  @Override
  void scales() {
    switch (type()) {
      case MXFP4 -> exponent();
      case IQ4_XS -> subScales();
      case Q4_1, Q5_1 -> {
        half(xmm(0), 0);
        a.store(VMOVSS_STORE, scale(0), xmm(0));
        half(xmm(0), 2);
        a.zero(xmm(1));
        a.op(VSUBPS, xmm(0), xmm(1), xmm(0));
        a.store(VMOVSS_STORE, minimum(0), xmm(0));
      }
      default -> {
        half(xmm(0), 0);
        a.store(VMOVSS_STORE, scale(0), xmm(0));
      }
    }
  }

  /** {@code 2^(e - 128)}, as the bits of a float; 0 instead of the subnormals of e = 0 and 1. */
  private void exponent() {
    a.op(VPBROADCASTB, xmm(0), block(0));
    a.op(VPSUBUSB, xmm(0), xmm(0), one);
    a.op(VPMOVZXBD, xmm(0), xmm(0));
    a.op(VPSLLD, xmm(0), xmm(0), 23);
    a.store(VMOVSS_STORE, scale(0), xmm(0));
  }

  /** {@code d * (s - 32)}, the four low bits of s in nibbles of a word, the two high in another. */
  private void subScales() {
    a.op(VPBROADCASTD, ymm(0), block(4));
    a.op(VPSRLVD, ymm(0), ymm(0), subScaleLowShifts);
    a.op(VPANDD, ymm(0), ymm(0), a.constant(15).repeat());
    a.op(VPBROADCASTW, xmm(1), block(2));
    a.op(VPMOVZXWD, ymm(1), xmm(1));
    a.op(VPSRLVD, ymm(1), ymm(1), subScaleHighShifts);
    a.op(VPSLLD, ymm(1), ymm(1), 4);
    a.op(VPANDD, ymm(1), ymm(1), a.constant(48).repeat());
    a.op(VPORD, ymm(0), ymm(0), ymm(1));
    a.op(VPSUBD, ymm(0), ymm(0), a.constant(32).repeat());
    a.op(VCVTDQ2PS, ymm(0), ymm(0));
    half(ymm(1), 0);
    a.op(VMULPS, ymm(0), ymm(0), ymm(1));
    a.store(VMOVDQU32_STORE, scale(0), ymm(0));
  }

  @Override
  void indices(int group, Vec dst) {
    if (type() == DType.Q8_0) {
      lanes.load(a, dst, block(2));
      a.op(VPXORD, dst, dst, signFlip);
      return;
    }
    lanes.loadTwice(a, dst, block(quantsAt() + 16 * group));
    a.op(VPSRLVW, dst, dst, nibbleShifts);
    a.op(VPANDD, dst, dst, nibble);
    if (type() == DType.Q5_0 || type() == DType.Q5_1) {
      a.load(KMOVD, k(1), at(BLOCK, quantsAt() - Integer.BYTES));
      lanes.add(a, dst.merging(k(1)), dst, fifth);
    }
  }

  /** Bytes before the nibbles. */
  private int quantsAt() {
    return type().blockBytes() - type().blockElements() / 2;
  }
}
