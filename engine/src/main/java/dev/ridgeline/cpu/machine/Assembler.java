package dev.ridgeline.cpu.machine;

import dev.ridgeline.cpu.machine.Operand.Mask;
import dev.ridgeline.cpu.machine.Operand.Mem;
import dev.ridgeline.cpu.machine.Operand.Vec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes x86-64 machine code into a byte array: the few instructions that the kernels use, nothing
 * more. Operands stand in Intel's order, the destination first. Constants are kept behind the code
 * and addressed relative to it, so that the finished bytes may lie anywhere.
 *
 * <p>Encoding: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2;
 * every instruction is compared with the bytes of GNU {@code as} in a test.
 */
final class Assembler {
  /** A place in the code, to jump to. */
  static final class Label {
    private int position = -1;
    private final List<Integer> fixups = new ArrayList<>();
  }

  /** Conditions of jumps, after {@code cmp a, b}; unsigned. */
  enum Condition {
    BELOW(0x2),
    ABOVE_OR_EQUAL(0x3),
    EQUAL(0x4),
    NOT_EQUAL(0x5);

    private final int code;

    Condition(int code) {
      this.code = code;
    }
  }

  private static final int CONSTANT_ALIGNMENT = 64;
  private static final int RM_SIB = 4;
  private static final int RM_RIP = 5;

  private byte[] code = new byte[4096];
  private int size;
  private byte[] constants = new byte[0];
  private final Map<String, Integer> places = new HashMap<>();
  private final List<Integer> constantFixups = new ArrayList<>();
  private final List<Integer> instructionEnds = new ArrayList<>();

  /** The finished code with its constants; its first instruction is at 0. */
  byte[] finish() {
    if (constants.length == 0) {
      return Arrays.copyOf(code, size);
    }
    int constantsAt = (size + CONSTANT_ALIGNMENT - 1) & -CONSTANT_ALIGNMENT;
    byte[] all = Arrays.copyOf(code, constantsAt + constants.length);
    System.arraycopy(constants, 0, all, constantsAt, constants.length);
    for (int i = 0; i < constantFixups.size(); i++) {
      int at = constantFixups.get(i);
      putInt(all, at, getInt(all, at) + constantsAt - instructionEnds.get(i));
    }
    return all;
  }

  /** 32-bit constants behind the code, from a 64-byte boundary. */
  Mem constant(int... words) {
    byte[] bytes = new byte[4 * words.length];
    for (int i = 0; i < words.length; i++) {
      putInt(bytes, 4 * i, words[i]);
    }
    return constant(bytes);
  }

  /** Float32 constants behind the code, from a 64-byte boundary. */
  Mem constant(float... values) {
    int[] words = new int[values.length];
    for (int i = 0; i < values.length; i++) {
      words[i] = Float.floatToRawIntBits(values[i]);
    }
    return constant(words);
  }

  /** Bytes behind the code, from a 64-byte boundary; equal constants share a place. */
  Mem constant(byte[] bytes) {
    return new Mem(null, null, 1, place(bytes), false);
  }

  private int place(byte[] bytes) {
    return places.computeIfAbsent(HexFormat.of().formatHex(bytes), _ -> append(bytes));
  }

  private int append(byte[] bytes) {
    int at = (constants.length + CONSTANT_ALIGNMENT - 1) & -CONSTANT_ALIGNMENT;
    constants = Arrays.copyOf(constants, at + bytes.length);
    System.arraycopy(bytes, 0, constants, at, bytes.length);
    return at;
  }

  // Control flow

  /** Marks this place as {@code label}. */
  void bind(Label label) {
    label.position = size;
    for (int at : label.fixups) {
      putInt(code, at, size - (at + 4));
    }
  }

  void jump(Condition condition, Label target) {
    bytes(0x0F, 0x80 | condition.code);
    reference(target);
  }

  void jump(Label target) {
    bytes(0xE9);
    reference(target);
  }

  private void reference(Label target) {
    if (target.position < 0) {
      target.fixups.add(size);
      word(0);
    } else {
      word(target.position - (size + 4));
    }
  }

  /** Runs {@code body} as often as {@code counter} says, at least once; leaves counter 0. */
  void loop(Gpr counter, Runnable body) {
    var top = new Label();
    bind(top);
    body.run();
    sub(counter, 1);
    jump(Condition.NOT_EQUAL, top);
  }

  void ret() {
    bytes(0xC3);
  }

  void cpuid() {
    bytes(0x0F, 0xA2);
  }

  void xgetbv() {
    bytes(0x0F, 0x01, 0xD0);
  }

  // 64-bit general registers

  void push(Gpr r) {
    if (r.code() >= 8) {
      bytes(0x41);
    }
    bytes(0x50 | low(r));
  }

  void pop(Gpr r) {
    if (r.code() >= 8) {
      bytes(0x41);
    }
    bytes(0x58 | low(r));
  }

  /** {@code dst = value}, zero-extended from 32 bits. */
  void mov(Gpr dst, int value) {
    if (dst.code() >= 8) {
      bytes(0x41);
    }
    bytes(0xB8 | low(dst));
    word(value);
  }

  void mov(Gpr dst, Gpr src) {
    general(0x89, src.code(), dst);
  }

  void mov(Gpr dst, Mem src) {
    general(0x8B, dst.code(), src);
  }

  void mov(Mem dst, Gpr src) {
    general(0x89, src.code(), dst);
  }

  /** Stores the low 32 bits. */
  void mov32(Mem dst, Gpr src) {
    rex(false, src.code(), dst);
    bytes(0x89);
    modrm(src.code(), dst, 1, 0);
  }

  /** {@code dst} = the 16 bits at {@code src}, zero-extended. */
  void movzx16(Gpr dst, Mem src) {
    rex(false, dst.code(), src);
    bytes(0x0F, 0xB7);
    modrm(dst.code(), src, 1, 0);
  }

  /** {@code dst} = the byte at {@code src}, zero-extended. */
  void movzx8(Gpr dst, Mem src) {
    rex(false, dst.code(), src);
    bytes(0x0F, 0xB6);
    modrm(dst.code(), src, 1, 0);
  }

  void lea(Gpr dst, Mem src) {
    general(0x8D, dst.code(), src);
  }

  void add(Gpr dst, Gpr src) {
    general(0x01, src.code(), dst);
  }

  void sub(Gpr dst, Gpr src) {
    general(0x29, src.code(), dst);
  }

  void add(Gpr dst, Mem src) {
    general(0x03, dst.code(), src);
  }

  void sub(Gpr dst, Mem src) {
    general(0x2B, dst.code(), src);
  }

  void cmp(Gpr a, Mem b) {
    general(0x3B, a.code(), b);
  }

  void cmp(Gpr a, Gpr b) {
    general(0x39, b.code(), a);
  }

  void add(Gpr dst, int value) {
    immediate(0, dst, value);
  }

  void sub(Gpr dst, int value) {
    immediate(5, dst, value);
  }

  void and(Gpr dst, int value) {
    immediate(4, dst, value);
  }

  void cmp(Gpr a, int value) {
    immediate(7, a, value);
  }

  void shl(Gpr dst, int bits) {
    general(0xC1, 4, dst);
    bytes(bits);
  }

  void shr(Gpr dst, int bits) {
    general(0xC1, 5, dst);
    bytes(bits);
  }

  void imul(Gpr dst, Gpr src) {
    bytes(0x48 | (dst.code() >> 3) << 2 | src.code() >> 3, 0x0F, 0xAF);
    bytes(0xC0 | low(dst) << 3 | low(src));
  }

  /** Asks for the cache line of {@code at}, in the first level. */
  void prefetch(Mem at) {
    rex(false, 1, at);
    bytes(0x0F, 0x18);
    modrm(1, at, 1, 0);
  }

  private void immediate(int digit, Gpr dst, int value) {
    boolean small = value == (byte) value;
    general(small ? 0x83 : 0x81, digit, dst);
    if (small) {
      bytes(value);
    } else {
      word(value);
    }
  }

  private void general(int opcode, int reg, Gpr rm) {
    bytes(0x48 | (reg >> 3) << 2 | rm.code() >> 3, opcode, 0xC0 | (reg & 7) << 3 | low(rm));
  }

  private void general(int opcode, int reg, Mem rm) {
    rex(true, reg, rm);
    bytes(opcode);
    modrm(reg, rm, 1, 0);
  }

  private void rex(boolean wide, int reg, Mem m) {
    int rex = (wide ? 8 : 0) | (reg >> 3) << 2 | extension(m.index()) << 1 | extension(m.base());
    if (rex != 0) {
      bytes(0x40 | rex);
    }
  }

  // Vectors

  /** {@code dst = i(source)}. */
  void op(Instruction i, Vec dst, Operand source) {
    evex(i, dst.index(), 0, source, widest(dst, source), dst);
    modrm(i, dst.index(), source, widest(dst, source), 0);
  }

  /** {@code dst = i(source, immediate)}; a shift. */
  void op(Instruction i, Vec dst, Operand source, int immediate) {
    int reg = i.digit() >= 0 ? i.digit() : dst.index();
    evex(i, reg, i.digit() >= 0 ? dst.index() : 0, source, widest(dst, source), dst);
    modrm(i, reg, source, widest(dst, source), 1);
    bytes(immediate);
  }

  /** {@code dst = i(first, second)}, for a multiply-add {@code dst = i(dst, first, second)}. */
  void op(Instruction i, Vec dst, Vec first, Operand second) {
    evex(i, dst.index(), first.index(), second, widest(dst, second), dst);
    modrm(i, dst.index(), second, widest(dst, second), 0);
  }

  /** {@code dst = i(first, second, immediate)}. */
  void op(Instruction i, Vec dst, Vec first, Operand second, int immediate) {
    evex(i, dst.index(), first.index(), second, widest(dst, second), dst);
    modrm(i, dst.index(), second, widest(dst, second), 1);
    bytes(immediate);
  }

  /** Stores {@code src} (the elements its mask chooses). */
  void store(Instruction i, Mem dst, Vec src) {
    evex(i, src.index(), 0, dst, src.bits(), src);
    modrm(i, src.index(), dst, src.bits(), 0);
  }

  /** {@code dst = 0}. */
  void zero(Vec dst) {
    op(Instruction.VPXORD, dst, dst, dst);
  }

  void vzeroupper() {
    bytes(0xC5, 0xF8, 0x77);
  }

  private static int widest(Vec a, Operand b) {
    return b instanceof Vec v ? Math.max(a.bits(), v.bits()) : a.bits();
  }

  private void evex(Instruction i, int reg, int vvvv, Operand rm, int bits, Vec masked) {
    int x = 0;
    int b = 0;
    boolean repeated = false;
    switch (rm) {
      case Vec v -> {
        x = v.index() >> 4;
        b = v.index() >> 3 & 1;
      }
      case Mem m -> {
        x = extension(m.index());
        b = extension(m.base());
        repeated = m.repeated();
      }
      case Mask _ -> throw new IllegalArgumentException(i + " takes no " + rm);
    }
    int p0 = (~reg >> 3 & 1) << 7 | (1 - x) << 6 | (1 - b) << 5 | (~reg >> 4 & 1) << 4 | i.map();
    int p1 = i.w() << 7 | (~vvvv & 15) << 3 | 4 | i.prefix();
    int p2 =
        (masked.zeroing() ? 0x80 : 0)
            | (bits == 512 ? 2 : bits == 256 ? 1 : 0) << 5
            | (repeated ? 0x10 : 0)
            | (~vvvv >> 4 & 1) << 3
            | masked.mask();
    bytes(0x62, p0, p1, p2, i.opcode());
  }

  private void modrm(Instruction i, int reg, Operand rm, int bits, int immediateBytes) {
    switch (rm) {
      case Vec v -> bytes(0xC0 | ((reg & 7) << 3) | (v.index() & 7));
      case Mem m -> modrm(reg, m, i.tuple().unit(bits, m.repeated()), immediateBytes);
      case Mask _ -> throw new IllegalArgumentException(i + " takes no " + rm);
    }
  }

  // Masks

  /** {@code dst} = the low bits of {@code src}: 32. */
  void kmovd(Mask dst, Gpr src) {
    bytes(0xC5);
    if (src.code() >= 8) {
      size--;
      bytes(0xC4, 0xC1, 0x7B);
    } else {
      bytes(0xFB);
    }
    bytes(0x92, 0xC0 | dst.index() << 3 | low(src));
  }

  /** {@code dst} = the bits of {@code src}: 32. */
  void kmovd(Gpr dst, Mask src) {
    bytes(0xC5, dst.code() >= 8 ? 0x7B : 0xFB, 0x93, 0xC0 | low(dst) << 3 | src.index());
  }

  // ModRM, SIB, displacement

  /**
   * @param unit EVEX stores small displacements in units of this many bytes
   * @param immediateBytes bytes of the instruction behind the displacement
   */
  private void modrm(int reg, Mem m, int unit, int immediateBytes) {
    int regBits = (reg & 7) << 3;
    Gpr base = m.base();
    if (base == null) {
      bytes(regBits | RM_RIP);
      constantFixups.add(size);
      word(m.displacement());
      instructionEnds.add(size + immediateBytes);
      return;
    }
    int displacement = m.displacement();
    boolean small = displacement % unit == 0 && displacement / unit == (byte) (displacement / unit);
    // RBP and R13 as a base cannot go without a displacement.
    int mod = displacement == 0 && low(base) != 5 ? 0 : small ? 1 : 2;
    Gpr index = m.index();
    if (index != null || low(base) == RM_SIB) {
      int sibIndex = index == null ? RM_SIB : low(index);
      bytes(mod << 6 | regBits | RM_SIB);
      bytes(Integer.numberOfTrailingZeros(m.scale()) << 6 | sibIndex << 3 | low(base));
    } else {
      bytes(mod << 6 | regBits | low(base));
    }
    if (mod == 1) {
      bytes(displacement / unit);
    } else if (mod == 2) {
      word(displacement);
    }
  }

  private static int low(Gpr r) {
    return r.code() & 7;
  }

  private static int extension(@Nullable Gpr r) {
    return r == null ? 0 : r.code() >> 3;
  }

  private void bytes(int... values) {
    if (size + 16 > code.length) {
      code = Arrays.copyOf(code, 2 * code.length);
    }
    for (int v : values) {
      code[size++] = (byte) v;
    }
  }

  private void word(int value) {
    bytes(value, value >> 8, value >> 16, value >> 24);
  }

  private static void putInt(byte[] at, int index, int value) {
    for (int i = 0; i < 4; i++) {
      at[index + i] = (byte) (value >> (8 * i));
    }
  }

  private static int getInt(byte[] at, int index) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
      value |= (at[index + i] & 0xFF) << (8 * i);
    }
    return value;
  }
}
