package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Operand.at;
import static dev.ridgeline.cpu.machine.Operand.k;
import static dev.ridgeline.cpu.machine.Operand.xmm;
import static dev.ridgeline.cpu.machine.Operand.ymm;
import static dev.ridgeline.cpu.machine.Operand.zmm;

import dev.ridgeline.cpu.machine.Operand.Mem;
import dev.ridgeline.cpu.machine.Operand.Vec;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Every instruction in every form that kernels use, as GNU {@code as} writes it and as the
 * assembler is asked for it. Run as a program it prints the texts, for the script that records the
 * bytes.
 */
final class AssemblerCases {
  private static final List<Mem> ADDRESSES =
      List.of(
          at(Gpr.RDI),
          at(Gpr.R13),
          at(Gpr.RBP),
          at(Gpr.RSP, 8),
          at(Gpr.R12, 64),
          at(Gpr.RSI, 8128),
          at(Gpr.R9, -3),
          at(Gpr.RAX, 100_000),
          at(Gpr.R10, Gpr.RCX, 1, 0),
          at(Gpr.RDX, Gpr.R11, 8, 256));

  private final Map<String, Consumer<Assembler>> cases = new LinkedHashMap<>();

  private AssemblerCases() {
    for (Instruction i : Instruction.values()) {
      vector(i);
    }
    masks();
    general();
  }

  static Map<String, Consumer<Assembler>> all() {
    return new AssemblerCases().cases;
  }

  public static void main(String[] arguments) {
    all().keySet().forEach(System.out::println);
  }

  private void vector(Instruction i) {
    switch (i) {
      case VMOVDQU32_STORE, VMOVSS_STORE, VPMOVDB_STORE -> stores(i);
      case VPSRLD, VPSLLD, VPSRAD -> {
        add(i, List.of(zmm(17), zmm(30)), 7);
        add(i, List.of(ymm(3), ymm(12)), 1);
        add(i, List.of(zmm(14), at(Gpr.RBX, 36).repeat()), 7);
        add(i, List.of(zmm(14), at(Gpr.RSI, Gpr.RDX, 2, 44).repeat()), 4);
      }
      case VPSHUFD -> {
        add(i, List.of(zmm(17), zmm(30)), 0x4E);
        add(i, List.of(zmm(3), zmm(12)), 0x31);
      }
      case VPCMPD -> compares(i);
      case VSHUFI32X4, VPTERNLOGD, VINSERTI32X4 -> {
        add(i, List.of(zmm(25), zmm(8), i == Instruction.VINSERTI32X4 ? xmm(9) : zmm(9)), 1);
        ADDRESSES.forEach(m -> add(i, List.of(zmm(1), zmm(31), m), 0xEA));
      }
      case VMOVDQU32_LOAD, VPBROADCASTD -> loads(i);
      case VPMOVZXBD -> {
        loads(i);
        add(i, List.of(xmm(19), at(Gpr.RDI, 192)));
      }
      case VPMOVZXWD, VCVTPH2PS -> {
        loads(i);
        add(i, List.of(zmm(19), ymm(7)));
      }
      case VCVTDQ2PS, VCVTPS2DQ, VSQRTPS -> {
        loads(i);
        add(i, List.of(zmm(19), zmm(27)));
        add(i, List.of(zmm(19), at(Gpr.R8, 508).repeat()));
      }
      default -> {
        add(i, List.of(zmm(1), zmm(2), zmm(3)));
        add(i, List.of(zmm(31), zmm(16), zmm(8)));
        add(i, List.of(ymm(10), ymm(20), ymm(30)));
        add(i, List.of(zmm(4).merging(k(3)), zmm(5), zmm(6)));
        add(i, List.of(zmm(4).zeroing(k(7)), zmm(5), zmm(6)));
        ADDRESSES.forEach(m -> add(i, List.of(zmm(18), zmm(9), m)));
        if (repeats(i)) {
          add(i, List.of(zmm(1), zmm(2), at(Gpr.RBX, 508).repeat()));
          add(i, List.of(zmm(1), zmm(2), at(Gpr.RBX, Gpr.R14, 2, 512).repeat()));
        }
      }
    }
  }

  /** Whether a 32-bit element may be repeated: not by what works on bytes, words or quads. */
  private static boolean repeats(Instruction i) {
    return switch (i) {
      case VPUNPCKLQDQ, VPUNPCKHQDQ, VPERMW, VPSHUFB, VPSUBUSB -> false;
      default -> true;
    };
  }

  private void loads(Instruction i) {
    ADDRESSES.forEach(m -> add(i, List.of(zmm(29), m)));
    add(i, List.of(zmm(2).zeroing(k(1)), at(Gpr.RCX, 96)));
    add(i, List.of(zmm(2).merging(k(2)), at(Gpr.RCX, 96)));
  }

  private void stores(Instruction i) {
    boolean scalar = i == Instruction.VMOVSS_STORE;
    Vec source = scalar ? xmm(21) : zmm(21);
    for (Mem m : ADDRESSES) {
      put(mnemonic(i) + " " + text(m) + ", " + text(source), a -> a.store(i, m, source));
    }
    if (!scalar) {
      Mem m = at(Gpr.RDI, 64);
      put(mnemonic(i) + " " + text(m) + "{k5}, zmm21", a -> a.store(i, m, zmm(21).merging(k(5))));
    }
  }

  private void compares(Instruction i) {
    Mem m = at(Gpr.RDI, 80).repeat();
    put("vpcmpd k1, zmm20, " + text(m) + ", 5", a -> a.op(i, zmm(1), zmm(20), m, 5));
    put(
        "vpcmpd k2{k1}, zmm3, " + text(m) + ", 2",
        a -> a.op(i, zmm(2).merging(k(1)), zmm(3), m, 2));
    put("vpcmpd k7, zmm22, zmm31, 4", a -> a.op(i, zmm(7), zmm(22), zmm(31), 4));
  }

  private void masks() {
    put("kmovd k3, ecx", a -> a.kmovd(k(3), Gpr.RCX));
    put("kmovd r12d, k1", a -> a.kmovd(Gpr.R12, k(1)));
    put("kmovd edx, k7", a -> a.kmovd(Gpr.RDX, k(7)));
    put("kmovd k3, r9d", a -> a.kmovd(k(3), Gpr.R9));
    put("vzeroupper", Assembler::vzeroupper);
  }

  private void general() {
    put("ret", Assembler::ret);
    put("cpuid", Assembler::cpuid);
    put("xgetbv", Assembler::xgetbv);
    for (Gpr r : List.of(Gpr.RAX, Gpr.RBP, Gpr.R8, Gpr.R13)) {
      String x = text(r);
      put("push " + x, a -> a.push(r));
      put("pop " + x, a -> a.pop(r));
      put("mov " + text32(r) + ", 123456", a -> a.mov(r, 123456));
      put("mov " + x + ", rsi", a -> a.mov(r, Gpr.RSI));
      put("mov " + x + ", r15", a -> a.mov(r, Gpr.R15));
      put("add " + x + ", r12", a -> a.add(r, Gpr.R12));
      put("sub " + x + ", rdi", a -> a.sub(r, Gpr.RDI));
      put("cmp " + x + ", rdx", a -> a.cmp(r, Gpr.RDX));
      put("imul " + x + ", r10", a -> a.imul(r, Gpr.R10));
      put("shl " + x + ", 5", a -> a.shl(r, 5));
      put("shr " + x + ", 3", a -> a.shr(r, 3));
      put("add " + x + ", 64", a -> a.add(r, 64));
      put("sub " + x + ", -128", a -> a.sub(r, -128));
      put("and " + x + ", -64", a -> a.and(r, -64));
      put("cmp " + x + ", 17", a -> a.cmp(r, 17));
    }
    put("add rcx, 4096", a -> a.add(Gpr.RCX, 4096));
    put("sub r11, 70000", a -> a.sub(Gpr.R11, 70000));
    for (Mem m : ADDRESSES) {
      put("mov r9, " + text(m), a -> a.mov(Gpr.R9, m));
      put("add rdi, " + text(m), a -> a.add(Gpr.RDI, m));
      put("sub rcx, " + text(m), a -> a.sub(Gpr.RCX, m));
      put("cmp r10, " + text(m), a -> a.cmp(Gpr.R10, m));
      put("mov " + text(m) + ", rbx", a -> a.mov(m, Gpr.RBX));
      put("mov " + text(m) + ", edx", a -> a.mov32(m, Gpr.RDX));
      put("movzx edx, word ptr " + text(m), a -> a.movzx16(Gpr.RDX, m));
      put("movzx r8d, byte ptr " + text(m), a -> a.movzx8(Gpr.R8, m));
      put("lea r14, " + text(m), a -> a.lea(Gpr.R14, m));
      put("prefetcht0 " + text(m), a -> a.prefetch(m));
    }
  }

  private void add(Instruction i, List<Operand> operands) {
    var text = new StringBuilder(mnemonic(i));
    for (Operand o : operands) {
      text.append(o == operands.getFirst() ? " " : ", ").append(text(o));
    }
    Vec dst = (Vec) operands.getFirst();
    put(
        text.toString(),
        operands.size() == 2
            ? a -> a.op(i, dst, operands.get(1))
            : a -> a.op(i, dst, (Vec) operands.get(1), operands.get(2)));
  }

  private void add(Instruction i, List<Operand> operands, int immediate) {
    var text = new StringBuilder(mnemonic(i));
    for (Operand o : operands) {
      text.append(o == operands.getFirst() ? " " : ", ").append(text(o));
    }
    Vec dst = (Vec) operands.getFirst();
    put(
        text + ", " + immediate,
        operands.size() == 2
            ? a -> a.op(i, dst, operands.get(1), immediate)
            : a -> a.op(i, dst, (Vec) operands.get(1), operands.get(2), immediate));
  }

  private void put(String text, Consumer<Assembler> emit) {
    if (cases.put(text, emit) != null) {
      throw new IllegalStateException("two cases '" + text + "'");
    }
  }

  /** {@code {evex}} keeps the other assembler from choosing the shorter VEX form. */
  private static String mnemonic(Instruction i) {
    return "{evex} " + i.name().replaceFirst("_.*", "").toLowerCase(Locale.ROOT);
  }

  private static String text(Operand o) {
    return switch (o) {
      case Vec v ->
          (v.bits() == 512 ? "zmm" : v.bits() == 256 ? "ymm" : "xmm")
              + v.index()
              + (v.mask() == 0 ? "" : "{k" + v.mask() + "}")
              + (v.zeroing() ? "{z}" : "");
      case Operand.Mask m -> "k" + m.index();
      case Mem m -> text(m);
    };
  }

  private static String text(Mem m) {
    Gpr index = m.index();
    Gpr base = m.base();
    return "["
        + (base == null ? "rip" : text(base))
        + (index == null ? "" : " + " + text(index) + " * " + m.scale())
        + " + "
        + m.displacement()
        + "]"
        + (m.repeated() ? "{1to16}" : "");
  }

  private static String text(Gpr r) {
    return r.name().toLowerCase(Locale.ROOT);
  }

  private static String text32(Gpr r) {
    return r.code() < 8 ? "e" + text(r).substring(1) : text(r) + "d";
  }
}
