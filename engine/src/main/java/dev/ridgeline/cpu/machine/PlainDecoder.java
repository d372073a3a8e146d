package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Instruction.*;
import static dev.ridgeline.cpu.machine.Operand.at;
import static dev.ridgeline.cpu.machine.Operand.k;
import static dev.ridgeline.cpu.machine.Operand.zmm;

import dev.ridgeline.cpu.kernel.RowDecoder;
import dev.ridgeline.cpu.machine.Assembler.Condition;
import dev.ridgeline.cpu.machine.Assembler.Label;
import dev.ridgeline.tensor.DType;

/** Rows of F32, F16 or BF16 to float32 by AVX-512. */
final class PlainDecoder implements RowDecoder {
  private static final int LANES = 16;

  private final DType type;
  private final NativeCode decode;

  PlainDecoder(DType type) {
    this.type = type;
    decode = NativeCode.install("decode_" + type, emit());
  }

  @Override
  public long scratchBytes() {
    return 0;
  }

  @Override
  public void decode(long from, long to, int elements, long scratch) {
    decode.call(from, to, elements / LANES, (1L << elements % LANES) - 1, 0, 0);
  }

  /** {@code f(RDI from, RSI to, RDX vectors, RCX mask of a last, partial vector)}. */
  private byte[] emit() {
    var a = new Assembler();
    var tail = new Label();
    var done = new Label();
    a.cmp(Gpr.RDX, 0);
    a.jump(Condition.EQUAL, tail);
    a.loop(
        Gpr.RDX,
        () -> {
          FloatDot.decode(a, type, zmm(0), at(Gpr.RDI));
          a.store(VMOVDQU32_STORE, at(Gpr.RSI), zmm(0));
          a.add(Gpr.RDI, Math.toIntExact(type.bytes(LANES)));
          a.add(Gpr.RSI, 4 * LANES);
        });
    a.bind(tail);
    a.cmp(Gpr.RCX, 0);
    a.jump(Condition.EQUAL, done);
    a.kmovd(k(1), Gpr.RCX);
    FloatDot.decode(a, type, zmm(0).zeroing(k(1)), at(Gpr.RDI));
    a.store(VMOVDQU32_STORE, at(Gpr.RSI), zmm(0).merging(k(1)));
    a.bind(done);
    a.vzeroupper();
    a.ret();
    return a.finish();
  }
}
