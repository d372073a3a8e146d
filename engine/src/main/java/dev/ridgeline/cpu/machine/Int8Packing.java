package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Instruction.*;
import static dev.ridgeline.cpu.machine.Operand.at;
import static dev.ridgeline.cpu.machine.Operand.k;
import static dev.ridgeline.cpu.machine.Operand.zmm;

import dev.ridgeline.cpu.kernel.PackCall;
import dev.ridgeline.cpu.kernel.Packing;
import dev.ridgeline.cpu.machine.Operand.Mem;
import dev.ridgeline.cpu.machine.Operand.Vec;

/**
 * Activations as int8: for each 32 columns, 64 bytes: q, the scale {@code d = max |x| / 127}, and
 * the sums that formats with a zero or a minimum need, of all 32 and of each half. {@code q =
 * round(x / d)}. A token's groups follow each other, tokens follow each other.
 */
final class Int8Packing implements Packing {
  /** Bytes of 32 columns. */
  static final int GROUP_BYTES = 64;

  /** Where the float32 scale is. */
  static final int SCALE_AT = 32;

  private static final int NEGATED_SUMS_AT = 36;
  private static final int SCALED_SUMS_AT = 52;
  private static final int COLS = 32;

  /** Smaller activations become 0: the scale of any others has a finite inverse. */
  private static final float SMALLEST = 0x1p-100f;

  private final NativeCode code = NativeCode.install("int8_pack", emit());

  /** Where {@code -sum q}, int32, of sub-block {@code s} of {@code parts} is. */
  static int negatedSumAt(int parts, int s) {
    return NEGATED_SUMS_AT + (parts == 1 ? 0 : 4 * (1 + s));
  }

  /** Where {@code d sum q}, float32, of sub-block {@code s} of {@code parts} is. */
  static int scaledSumAt(int parts, int s) {
    return SCALED_SUMS_AT + (parts == 1 ? 0 : 4 * (1 + s));
  }

  /** Bytes of a token. */
  static long tokenBytes(int cols) {
    return (long) cols / COLS * GROUP_BYTES;
  }

  @Override
  public long bytes(int tokens, int cols) {
    return tokens * tokenBytes(cols);
  }

  @Override
  public int unitCols() {
    return COLS;
  }

  @Override
  public void pack(PackCall call) {
    int group = call.fromCol / COLS;
    int groups = call.toCol / COLS - group;
    for (int token = 0; token < call.tokens; token++) {
      code.call(
          call.x + 4L * ((long) token * call.cols + call.fromCol),
          call.packed + token * tokenBytes(call.cols) + (long) group * GROUP_BYTES,
          groups,
          0,
          0,
          0);
    }
  }

  /** {@code f(RDI x, RSI packed, RDX groups)}. */
  private static byte[] emit() {
    var a = new Assembler();
    a.op(VPBROADCASTD, zmm(31), a.constant(0x7FFFFFFF));
    a.op(VPBROADCASTD, zmm(30), a.constant(127f));
    a.op(VPBROADCASTD, zmm(29), a.constant(1 / 127f));
    a.op(VPBROADCASTD, zmm(28), a.constant(SMALLEST));
    a.op(VMOVDQU32_LOAD, zmm(27), quarters(a, 2, 3, 0, 1));
    a.op(VMOVDQU32_LOAD, zmm(26), quarters(a, 1, 0, 3, 2));
    a.op(VMOVDQU32_LOAD, zmm(25), quarters(a, 0, 0, 0, 1));
    a.op(VMOVDQU32_LOAD, zmm(24), quarters(a, 1, 1, 1, 1));
    a.mov(Gpr.RAX, 2);
    a.kmovd(k(1), Gpr.RAX);
    a.loop(Gpr.RDX, () -> group(a));
    a.vzeroupper();
    a.ret();
    return a.finish();
  }

  private static Mem quarters(Assembler a, int... order) {
    int[] all = new int[16];
    for (int i = 0; i < 16; i++) {
      all[i] = i / 4 * 4 + order[i % 4];
    }
    return a.constant(all);
  }

  private static void group(Assembler a) {
    Vec first = zmm(0);
    Vec last = zmm(1);
    Vec largest = zmm(2);
    Vec scale = zmm(4);
    a.op(VMOVDQU32_LOAD, first, at(Gpr.RDI));
    a.op(VMOVDQU32_LOAD, last, at(Gpr.RDI, 64));
    a.op(VPANDD, largest, zmm(31), first);
    a.op(VPANDD, zmm(3), zmm(31), last);
    a.op(VMAXPS, largest, largest, zmm(3));
    across(a, VMAXPS, largest);
    a.op(VPERMD, zmm(3), zmm(27), largest);
    a.op(VMAXPS, largest, largest, zmm(3));
    a.op(VPERMD, zmm(3), zmm(26), largest);
    a.op(VMAXPS, largest, largest, zmm(3));
    a.op(VMULPS, scale, largest, zmm(29));
    a.op(VMAXPS, largest, largest, zmm(28));
    a.op(VDIVPS, largest, zmm(30), largest);
    for (Vec x : new Vec[] {first, last}) {
      a.op(VMULPS, x, x, largest);
      a.op(VCVTPS2DQ, x, x);
      a.store(VPMOVDB_STORE, at(Gpr.RSI, 16 * x.index()), x);
    }
    sums(a, first, last, scale);
    a.add(Gpr.RDI, 4 * COLS);
    a.add(Gpr.RSI, GROUP_BYTES);
  }

  /** Stores the scale and, of int32 q, both kinds of sums. */
  private static void sums(Assembler a, Vec first, Vec last, Vec scale) {
    Vec sums = zmm(5);
    a.op(VPUNPCKLDQ, sums, first, last);
    a.op(VPUNPCKHDQ, zmm(6), first, last);
    a.op(VPADDD, sums, sums, zmm(6));
    a.op(VPUNPCKHQDQ, zmm(6), sums, sums);
    a.op(VPADDD, sums, sums, zmm(6));
    across(a, VPADDD, sums);
    // Elements: unused, both halves, first half, last half.
    a.op(VPERMD, zmm(6), zmm(25), sums);
    a.op(VPERMD, zmm(7), zmm(24), sums);
    a.op(VPADDD, zmm(6).merging(k(1)), zmm(6), zmm(7));
    a.zero(zmm(7));
    a.op(VPSUBD, zmm(7), zmm(7), zmm(6));
    a.op(VCVTDQ2PS, zmm(6), zmm(6));
    a.op(VMULPS, zmm(6), zmm(6), scale);
    a.store(VMOVDQU32_STORE, at(Gpr.RSI, NEGATED_SUMS_AT - 4), zmm(7).xmm());
    a.store(VMOVDQU32_STORE, at(Gpr.RSI, SCALED_SUMS_AT - 4), zmm(6).xmm());
    a.store(VMOVSS_STORE, at(Gpr.RSI, SCALE_AT), scale.xmm());
  }

  /** Combines the four 128-bit quarters, all with all. */
  private static void across(Assembler a, Instruction combine, Vec v) {
    a.op(VSHUFI32X4, zmm(3), v, v, 0x4E);
    a.op(combine, v, v, zmm(3));
    a.op(VSHUFI32X4, zmm(3), v, v, 0xB1);
    a.op(combine, v, v, zmm(3));
  }
}
