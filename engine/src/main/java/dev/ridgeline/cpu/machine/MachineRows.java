package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Instruction.*;
import static dev.ridgeline.cpu.machine.Operand.at;
import static dev.ridgeline.cpu.machine.Operand.k;
import static dev.ridgeline.cpu.machine.Operand.zmm;

import dev.ridgeline.cpu.kernel.RowKernel;
import dev.ridgeline.cpu.machine.Assembler.Condition;
import dev.ridgeline.cpu.machine.Assembler.Label;
import dev.ridgeline.cpu.machine.Operand.Vec;
import java.util.function.Consumer;

/**
 * {@link RowKernel} by AVX-512: as fast in its first call as in its last. The Vector API's norms
 * took 0.15 s of the first prompt of llama-1b, before they were compiled.
 */
final class MachineRows implements RowKernel {
  private static final int LANES = 16;
  private static final int LINE = 64;

  private static final Gpr X = Gpr.RDI;
  private static final Gpr SECOND = Gpr.RSI;
  private static final Gpr OUT = Gpr.RDX;
  private static final Gpr VECTORS = Gpr.RCX;
  private static final Gpr TAIL = Gpr.R8;
  private static final Gpr FLOATS = Gpr.R9;
  private static final Gpr AT = Gpr.RAX;

  private final NativeCode norm = NativeCode.install("rms_norm", emitNorm());
  private final NativeCode add = NativeCode.install("add", emitAdd());
  private final NativeCode scale = NativeCode.install("scale", emitScale());

  @Override
  public void rmsNorm(long x, long weight, float eps, long out, int count) {
    call(norm, x, weight, out, count, bits(eps) | bits(1f / count) << 32);
  }

  @Override
  public void add(long a, long b, float scale, long out, int count) {
    call(add, a, b, out, count, bits(scale));
  }

  @Override
  public void scale(long x, float factor, long out, int count) {
    call(scale, x, 0, out, count, bits(factor));
  }

  private static long bits(float value) {
    return Integer.toUnsignedLong(Float.floatToRawIntBits(value));
  }

  private static void call(NativeCode code, long x, long second, long out, int n, long floats) {
    code.call(x, second, out, n / LANES, (1L << n % LANES) - 1, floats);
  }

  // f(RDI x, RSI second, RDX out, RCX vectors, R8 mask of a last, partial vector, R9 two floats)

  private static byte[] emitNorm() {
    var a = new Assembler();
    Vec sum = zmm(0);
    a.push(FLOATS);
    a.zero(sum);
    a.mov(Gpr.R10, VECTORS);
    eachVector(
        a,
        Gpr.R10,
        chosen -> {
          Vec x = zmm(1).zeroing(k(1));
          a.op(VMOVDQU32_LOAD, chosen ? x : zmm(1), at(X, AT, 1, 0));
          a.op(VFMADD231PS, sum, zmm(1), zmm(1));
        });
    MachineAttention.across(a, VADDPS, sum, zmm(1));
    a.op(VMULPS, sum, sum, at(Gpr.RSP, 4).repeat());
    a.op(VADDPS, sum, sum, at(Gpr.RSP).repeat());
    a.op(VSQRTPS, sum, sum);
    a.op(VPBROADCASTD, zmm(1), a.constant(1f));
    a.op(VDIVPS, sum, zmm(1), sum);
    eachVector(
        a,
        VECTORS,
        chosen -> {
          Vec x = zmm(1);
          a.op(VMULPS, chosen ? x.zeroing(k(1)) : x, sum, at(X, AT, 1, 0));
          a.op(VMULPS, chosen ? x.zeroing(k(1)) : x, x, at(SECOND, AT, 1, 0));
          a.store(VMOVDQU32_STORE, at(OUT, AT, 1, 0), chosen ? x.merging(k(1)) : x);
        });
    return end(a);
  }

  private static byte[] emitAdd() {
    var a = new Assembler();
    Vec scale = zmm(0);
    a.push(FLOATS);
    a.op(VPBROADCASTD, scale, at(Gpr.RSP));
    eachVector(
        a,
        VECTORS,
        chosen -> {
          Vec x = zmm(1);
          a.op(VMOVDQU32_LOAD, chosen ? x.zeroing(k(1)) : x, at(X, AT, 1, 0));
          a.op(VFMADD231PS, chosen ? x.merging(k(1)) : x, scale, at(SECOND, AT, 1, 0));
          a.store(VMOVDQU32_STORE, at(OUT, AT, 1, 0), chosen ? x.merging(k(1)) : x);
        });
    return end(a);
  }

  private static byte[] emitScale() {
    var a = new Assembler();
    Vec factor = zmm(0);
    a.push(FLOATS);
    a.op(VPBROADCASTD, factor, at(Gpr.RSP));
    eachVector(
        a,
        VECTORS,
        chosen -> {
          Vec x = zmm(1);
          a.op(VMULPS, chosen ? x.zeroing(k(1)) : x, factor, at(X, AT, 1, 0));
          a.store(VMOVDQU32_STORE, at(OUT, AT, 1, 0), chosen ? x.merging(k(1)) : x);
        });
    return end(a);
  }

  /** Runs {@code body} for the whole vectors, then, with true, for the rest that k1 chooses. */
  private static void eachVector(Assembler a, Gpr counter, Consumer<Boolean> body) {
    var tail = new Label();
    var done = new Label();
    a.mov(AT, 0);
    a.cmp(counter, 0);
    a.jump(Condition.EQUAL, tail);
    a.loop(
        counter,
        () -> {
          body.accept(false);
          a.add(AT, LINE);
        });
    a.bind(tail);
    a.cmp(TAIL, 0);
    a.jump(Condition.EQUAL, done);
    a.kmovd(k(1), TAIL);
    body.accept(true);
    a.bind(done);
  }

  private static byte[] end(Assembler a) {
    a.vzeroupper();
    a.pop(FLOATS);
    a.ret();
    return a.finish();
  }
}
