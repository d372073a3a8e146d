package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Instruction.*;
import static dev.ridgeline.cpu.machine.Operand.at;
import static dev.ridgeline.cpu.machine.Operand.k;
import static dev.ridgeline.cpu.machine.Operand.zmm;

import dev.ridgeline.cpu.machine.Assembler.Condition;
import dev.ridgeline.cpu.machine.Assembler.Label;
import dev.ridgeline.cpu.machine.Operand.Mem;
import dev.ridgeline.cpu.machine.Operand.Vec;

/**
 * Emits {@code f(RDI packed rows, RSI x, RDX bytes from token to token, RCX out, R8 bytes from
 * token to token, R9 control)}: 16 rows by up to 12 tokens, lanes being rows. Control: {@code
 * groups << 32 | mask of rows << 1 | add to out}. Fetches a little from the address before the
 * packed rows.
 *
 * <p>For each row and token, group after group:
 *
 * <pre>
 * i    = sum over the sub-block of level * q - zero * sum q       exact, in int32
 * sum  = fma(float(i), scale_w * scale_x, sum)
 * sum  = fma(-minimum_w, scale_x * sum q, sum)                    where there are minimums
 * </pre>
 *
 * so that a result does not depend on how many tokens or columns one call takes: a token alone, in
 * a batch or in a prompt has the same bits.
 */
final class TileDot {
  /** Sums and integers of so many tokens leave 8 registers for the rest. */
  static final int MAX_TOKENS = 12;

  private static final Gpr WEIGHTS = Gpr.RDI;
  private static final Gpr[] TOKEN_QUADS = {Gpr.RSI, Gpr.R11, Gpr.RBX};
  private static final Gpr STRIDE = Gpr.RDX;
  private static final Gpr STRIDE3 = Gpr.RBP;
  private static final Gpr FETCH = Gpr.R9;

  private final BlockLayout layout;
  private final int tokens;
  private final Assembler a = new Assembler();

  TileDot(BlockLayout layout, int tokens) {
    this.layout = layout;
    this.tokens = tokens;
  }

  byte[] emit() {
    a.push(Gpr.RBX);
    a.push(Gpr.RBP);
    a.mov(Gpr.R10, Gpr.R9);
    a.shr(Gpr.R10, 32);
    a.mov(Gpr.RAX, Gpr.R9);
    a.shr(Gpr.RAX, 1);
    a.kmovd(k(1), Gpr.RAX);
    a.lea(TOKEN_QUADS[1], at(Gpr.RSI, STRIDE, 4, 0));
    a.lea(TOKEN_QUADS[2], at(Gpr.R11, STRIDE, 4, 0));
    a.lea(STRIDE3, at(STRIDE, STRIDE, 2, 0));
    start();
    a.mov(FETCH, at(WEIGHTS, -8));
    a.loop(Gpr.R10, this::group);
    a.mov(Gpr.RAX, Gpr.RCX);
    for (int t = 0; t < tokens; t++) {
      a.store(VMOVDQU32_STORE, at(Gpr.RAX), sum(t).merging(k(1)));
      a.add(Gpr.RAX, Gpr.R8);
    }
    a.vzeroupper();
    a.pop(Gpr.RBP);
    a.pop(Gpr.RBX);
    a.ret();
    return a.finish();
  }

  private void start() {
    var zero = new Label();
    var done = new Label();
    a.and(Gpr.R9, 1);
    a.jump(Condition.EQUAL, zero);
    a.mov(Gpr.RAX, Gpr.RCX);
    for (int t = 0; t < tokens; t++) {
      a.op(VMOVDQU32_LOAD, sum(t).zeroing(k(1)), at(Gpr.RAX));
      a.add(Gpr.RAX, Gpr.R8);
    }
    a.jump(done);
    a.bind(zero);
    for (int t = 0; t < tokens; t++) {
      a.zero(sum(t));
    }
    a.bind(done);
  }

  private void group() {
    int parts = layout.scalesPerGroup();
    int lines = 8 / parts;
    for (int s = 0; s < parts; s++) {
      for (int t = 0; t < tokens; t++) {
        if (layout.hasMinimums()) {
          a.zero(integer(t));
        } else {
          a.op(
              VPSLLD,
              integer(t),
              x(t, Int8Packing.negatedSumAt(parts, s)).repeat(),
              layout.zeroShift());
        }
      }
      for (int i = s * lines; i < (s + 1) * lines; i++) {
        Vec levels = zmm(24 + i % 2);
        a.op(VMOVDQU32_LOAD, levels, at(WEIGHTS, BlockLayout.levelsAt(i)));
        for (int t = 0; t < tokens; t++) {
          a.op(VPDPBUSD, integer(t), levels, x(t, 4 * i).repeat());
        }
      }
      add(s);
    }
    for (int i = 0; i < layout.linesFetchedByDot(); i++) {
      a.prefetch(at(FETCH, 64 * i));
    }
    a.add(FETCH, 64 * layout.linesFetchedByDot());
    a.add(WEIGHTS, layout.packedBytes());
    for (Gpr quad : TOKEN_QUADS) {
      a.add(quad, Int8Packing.GROUP_BYTES);
    }
  }

  private void add(int s) {
    Vec scales = zmm(26);
    Vec minimums = zmm(27);
    a.op(VMOVDQU32_LOAD, scales, at(WEIGHTS, BlockLayout.scaleAt(s)));
    if (layout.hasMinimums()) {
      a.op(VMOVDQU32_LOAD, minimums, at(WEIGHTS, layout.minimumAt(s)));
    }
    for (int t = 0; t < tokens; t++) {
      Vec scale = zmm(28 + t % 4);
      a.op(VCVTDQ2PS, integer(t), integer(t));
      a.op(VMULPS, scale, scales, x(t, Int8Packing.SCALE_AT).repeat());
      a.op(VFMADD231PS, sum(t), integer(t), scale);
      if (layout.hasMinimums()) {
        int sumAt = Int8Packing.scaledSumAt(layout.scalesPerGroup(), s);
        a.op(VFNMADD231PS, sum(t), minimums, x(t, sumAt).repeat());
      }
    }
  }

  private static Vec sum(int t) {
    return zmm(t);
  }

  private static Vec integer(int t) {
    return zmm(MAX_TOKENS + t);
  }

  private static Mem x(int t, int offset) {
    Gpr base = TOKEN_QUADS[t / 4];
    return switch (t % 4) {
      case 0 -> at(base, offset);
      case 1 -> at(base, STRIDE, 1, offset);
      case 2 -> at(base, STRIDE, 2, offset);
      default -> at(base, STRIDE3, 1, offset);
    };
  }
}
