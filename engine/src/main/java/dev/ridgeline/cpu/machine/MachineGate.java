package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Instruction.*;
import static dev.ridgeline.cpu.machine.Operand.at;
import static dev.ridgeline.cpu.machine.Operand.k;
import static dev.ridgeline.cpu.machine.Operand.zmm;

import dev.ridgeline.cpu.kernel.GateKernel;
import dev.ridgeline.cpu.machine.Assembler.Condition;
import dev.ridgeline.cpu.machine.Assembler.Label;
import dev.ridgeline.cpu.machine.Operand.Mem;
import dev.ridgeline.cpu.machine.Operand.Vec;
import dev.ridgeline.graph.Activation;
import java.util.EnumMap;
import java.util.Map;

/**
 * Gates by AVX-512: {@code g / (1 + exp(c1 g + c3 g^3)) * (u + more)}, which all activations are.
 * As fast in its first call as in its last; the Vector API's needed 0.4 s for the first prompt of
 * llama-1b, before it was compiled.
 */
final class MachineGate implements GateKernel {
  private static final int LANES = 16;
  private static final int LINE = 64;
  private static final double ROOT = Math.sqrt(2 / Math.PI);

  private static final Vec GATE = zmm(0);
  private static final Vec UP = zmm(1);
  private static final Vec Z = zmm(2);
  private static final Vec N = zmm(4);

  private final Map<Activation, NativeCode> codes = new EnumMap<>(Activation.class);

  MachineGate() {
    for (Activation activation : Activation.values()) {
      codes.put(activation, NativeCode.install("gate_" + activation, new Code(activation).emit()));
    }
  }

  @Override
  public void gate(Activation activation, long gate, long up, long out, int count) {
    NativeCode code = codes.get(activation);
    if (code == null) {
      throw new IllegalArgumentException("no code for " + activation);
    }
    code.call(gate, up, out, count / LANES, (1L << count % LANES) - 1, 0);
  }

  /** {@code f(RDI gate, RSI up, RDX out, RCX vectors, R8 mask of a last, partial vector)}. */
  private record Code(Activation activation, Assembler a) {
    Code(Activation activation) {
      this(activation, new Assembler());
    }

    byte[] emit() {
      a.mov(Gpr.RAX, 0xFFFF);
      a.kmovd(k(2), Gpr.RAX);
      var tail = new Label();
      var done = new Label();
      a.cmp(Gpr.RCX, 0);
      a.jump(Condition.EQUAL, tail);
      a.loop(
          Gpr.RCX,
          () -> {
            a.op(VMOVDQU32_LOAD, GATE, at(Gpr.RDI));
            a.op(VMOVDQU32_LOAD, UP, at(Gpr.RSI));
            vector();
            a.store(VMOVDQU32_STORE, at(Gpr.RDX), GATE);
            a.add(Gpr.RDI, LINE);
            a.add(Gpr.RSI, LINE);
            a.add(Gpr.RDX, LINE);
          });
      a.bind(tail);
      a.cmp(Gpr.R8, 0);
      a.jump(Condition.EQUAL, done);
      a.kmovd(k(1), Gpr.R8);
      a.op(VMOVDQU32_LOAD, GATE.zeroing(k(1)), at(Gpr.RDI));
      a.op(VMOVDQU32_LOAD, UP.zeroing(k(1)), at(Gpr.RSI));
      vector();
      a.store(VMOVDQU32_STORE, at(Gpr.RDX), GATE.merging(k(1)));
      a.bind(done);
      a.vzeroupper();
      a.ret();
      return a.finish();
    }

    private void vector() {
      if (activation == Activation.SWIGLU_OAI) {
        a.op(VMINPS, GATE, GATE, all(7));
        a.op(VMINPS, UP, UP, all(7));
        a.op(VMAXPS, UP, UP, all(-7));
        a.op(VADDPS, UP, UP, all(1));
      }
      switch (activation) {
        case SILU -> a.op(VMULPS, Z, GATE, all(-1));
        case SWIGLU_OAI -> a.op(VMULPS, Z, GATE, all(-1.702f));
        case GELU_TANH -> {
          // 0.5 (1 + tanh z) = 1 / (1 + exp(-2 z))
          a.op(VMULPS, N, GATE, GATE);
          a.op(VMULPS, N, N, GATE);
          a.op(VMULPS, Z, GATE, all((float) (-2 * ROOT)));
          a.op(VFMADD231PS, Z, N, all((float) (-2 * ROOT * 0.044715)));
        }
      }
      exp(a, Z, zmm(3), zmm(4), zmm(5), k(2));
      a.op(VADDPS, Z, Z, all(1));
      a.op(VDIVPS, GATE, GATE, Z);
      a.op(VMULPS, GATE, GATE, UP);
    }

    private Mem all(float value) {
      return a.constant(value).repeat();
    }
  }

  /**
   * Emits {@code z = e^z}, relative error below 2^-22: z is split into {@code n ln 2 + r}, a
   * polynomial of degree 6 gives {@code e^r}, n goes into the exponent. z is kept within -87.3 and
   * 88.3; elements that are not chosen become 0.
   */
  static void exp(Assembler a, Vec z, Vec shifted, Vec even, Vec odd, Operand.Mask chosen) {
    a.op(VMINPS, z, z, a.constant(88.3f).repeat());
    a.op(VMAXPS, z, z, a.constant(-87.3f).repeat());
    a.op(VPBROADCASTD, shifted, a.constant(0x1.8p23f));
    a.op(VFMADD231PS, shifted, z, a.constant(1.44269504f).repeat());
    a.op(VADDPS, even, shifted, a.constant(-0x1.8p23f).repeat());
    a.op(VFMADD231PS, z, even, a.constant(-0.693145752f).repeat());
    a.op(VFMADD231PS, z, even, a.constant(-1.42860677e-6f).repeat());
    Vec sum = even;
    Vec next = odd;
    a.op(VPBROADCASTD, sum, a.constant(1.38888889e-3f));
    for (float c : new float[] {8.33333333e-3f, 4.16666667e-2f, 1.66666667e-1f, 0.5f, 1, 1}) {
      a.op(VPBROADCASTD, next, a.constant(c));
      a.op(VFMADD231PS, next, sum, z);
      Vec done = sum;
      sum = next;
      next = done;
    }
    a.op(VPSLLD, shifted, shifted, 23);
    a.op(VPADDD, z.zeroing(chosen), sum, shifted);
  }
}
