package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Instruction.*;
import static dev.ridgeline.cpu.machine.Operand.at;
import static dev.ridgeline.cpu.machine.Operand.zmm;

import dev.ridgeline.cpu.machine.BlockLayout.Plane;
import dev.ridgeline.cpu.machine.Operand.Mem;
import dev.ridgeline.cpu.machine.Operand.Vec;
import dev.ridgeline.tensor.DType;
import java.util.Arrays;

/**
 * Emits {@code f(RDI rows, RSI bytes of a row, RDX packed, RCX blocks, R8 fetch)}: takes apart the
 * same blocks of 16 rows, lanes being rows, into the groups that {@link BlockLayout} describes; and
 * meanwhile fetches most of as many bytes from {@code fetch} on: what the next rows hold, so that
 * memory sees one sequential stream.
 *
 * <p>Every field is read as 16 bytes of each row, transposed into four vectors of 32-bit words (16
 * loads, 12 insertions, 8 shuffles); four of a word's bytes are four consecutive columns.
 */
final class TilePacker {
  /** Rows of a tile. */
  static final int ROWS = 16;

  private static final int LINE = 64;
  private static final int QUAD = 4;
  private static final int SLOTS = 4;

  /** {@code first | second & third}. */
  private static final int OR_AND = 0xF8;

  private static final Gpr[] ROW_QUADS = {Gpr.RDI, Gpr.R9, Gpr.R10, Gpr.R11};
  private static final Gpr STRIDE = Gpr.RSI;
  private static final Gpr STRIDE3 = Gpr.RAX;
  private static final Gpr OUT = Gpr.RDX;
  private static final Gpr FETCH = Gpr.R8;

  // Registers: 0-15 four quads of words, 16-23 to transpose, 24-27 to work, 28-31 constants.
  private static final Vec FIFTH_BITS = zmm(15);
  private static final Vec LOW_WORDS = zmm(31);
  private static final Vec HIGH_WORDS = zmm(30);
  private static final Vec LOW_MASK = zmm(29);
  private static final Vec HIGH_MASK_OR_TABLE = zmm(28);

  private final BlockLayout layout;
  private final Assembler a = new Assembler();
  private final int[] offsetInSlot = new int[SLOTS];
  private int nextSlot;
  private int fetched;

  TilePacker(BlockLayout layout) {
    this.layout = layout;
  }

  byte[] emit() {
    a.lea(ROW_QUADS[1], at(ROW_QUADS[0], STRIDE, 4, 0));
    a.lea(ROW_QUADS[2], at(ROW_QUADS[1], STRIDE, 4, 0));
    a.lea(ROW_QUADS[3], at(ROW_QUADS[2], STRIDE, 4, 0));
    a.lea(STRIDE3, at(STRIDE, STRIDE, 2, 0));
    constants();
    a.loop(Gpr.RCX, this::block);
    a.vzeroupper();
    a.ret();
    return a.finish();
  }

  private void constants() {
    int[] low = new int[ROWS];
    int[] high = new int[ROWS];
    for (int i = 0; i < ROWS / 2; i++) {
      low[i] = 4 * i | (4 * i + 2) << 16;
      high[i] = low[i] + 0x00010001;
    }
    a.op(VMOVDQU32_LOAD, LOW_WORDS, a.constant(low));
    a.op(VMOVDQU32_LOAD, HIGH_WORDS, a.constant(high));
    Plane lowPlane = layout.low(0, 0);
    a.op(VPBROADCASTD, LOW_MASK, everyByte(layout.type() == DType.Q8_0 ? 0x80 : lowPlane.mask()));
    if (layout.hasFifthBits()) {
      int[] spread = new int[ROWS];
      for (int i = 0; i < ROWS; i++) {
        spread[i] = 0x10 * ((i & 1) | (i & 2) << 7 | (i & 4) << 14 | (i & 8) << 21);
      }
      a.op(VMOVDQU32_LOAD, HIGH_MASK_OR_TABLE, a.constant(spread));
    } else if (layout.codebook().length > 0) {
      byte[] table = new byte[LINE];
      for (int i = 0; i < LINE; i++) {
        table[i] = (byte) (layout.codebook()[i % 16] + (1 << layout.zeroShift()));
      }
      a.op(VMOVDQU32_LOAD, HIGH_MASK_OR_TABLE, a.constant(table));
    } else if (layout.high(0, 0).mask() != 0) {
      a.op(VPBROADCASTD, HIGH_MASK_OR_TABLE, everyByte(layout.high(0, 0).mask()));
    }
  }

  private Mem everyByte(int value) {
    return a.constant(value * 0x01010101);
  }

  private void block() {
    int blockBytes = layout.type().blockBytes();
    fetched = 0;
    Arrays.fill(offsetInSlot, -1);
    scales();
    for (int half = 0; half < 2; half++) {
      for (int g = 0; g < layout.groups(); g++) {
        levels(g, half);
        fetch((double) (half * layout.groups() + g + 1) / (2 * layout.groups()));
      }
    }
    for (Gpr rows : ROW_QUADS) {
      a.add(rows, blockBytes);
    }
    a.add(FETCH, ROWS * blockBytes - layout.groups() * layout.linesFetchedByDot() * LINE);
    a.add(OUT, layout.groups() * layout.packedBytes());
  }

  /** Fetches up to this share of a block's lines, but for those that the product fetches. */
  private void fetch(double share) {
    int lines = layout.fetchLines(layout.groups()) - layout.groups() * layout.linesFetchedByDot();
    for (; fetched < Math.round(share * lines); fetched++) {
      a.prefetch(at(FETCH, LINE * fetched));
    }
  }

  // Levels

  private void levels(int g, int half) {
    Plane low = layout.low(g, half);
    Plane high = layout.high(g, half);
    int from = slot(low.offset());
    int highFrom = high.mask() == 0 ? 0 : slot(high.offset());
    for (int i = 0; i < QUAD; i++) {
      int line = QUAD * half + i;
      Vec level = zmm(24 + i % 2);
      Vec bits = zmm(26 + i % 2);
      if (layout.type() == DType.Q8_0) {
        a.op(VPXORD, level, LOW_MASK, zmm(from + i));
      } else {
        a.op(VPANDD, level, LOW_MASK, shifted(level, zmm(from + i), low.shift()));
      }
      if (high.mask() != 0) {
        Vec shifted = shifted(bits, zmm(highFrom + i), high.shift());
        a.op(VPTERNLOGD, level, HIGH_MASK_OR_TABLE, shifted, OR_AND);
      } else if (layout.hasFifthBits()) {
        a.op(VPERMD, bits, shifted(bits, FIFTH_BITS, QUAD * line), HIGH_MASK_OR_TABLE);
        a.op(VPORD, level, level, bits);
      } else if (layout.codebook().length > 0) {
        a.op(VPSHUFB, level, HIGH_MASK_OR_TABLE, level);
      }
      a.store(
          VMOVDQU32_STORE, at(OUT, g * layout.packedBytes() + BlockLayout.levelsAt(line)), level);
    }
  }

  /** {@code src >> shift} in {@code into}, or {@code src} itself. */
  private Vec shifted(Vec into, Vec src, int shift) {
    if (shift == 0) {
      return src;
    }
    a.op(shift > 0 ? VPSRLD : VPSLLD, into, src, Math.abs(shift));
    return into;
  }

  /** The first of four registers with the words of bytes {@code offset} to {@code offset + 15}. */
  private int slot(int offset) {
    for (int s = 0; s < SLOTS; s++) {
      if (offsetInSlot[s] == offset) {
        return QUAD * s;
      }
    }
    int slot = nextSlot;
    nextSlot = (nextSlot + 1) % (layout.hasFifthBits() ? SLOTS - 1 : SLOTS);
    offsetInSlot[slot] = offset;
    quad(offset, QUAD * slot);
    return QUAD * slot;
  }

  /** Words 0 to 3 of the 16 bytes at {@code offset} of each row, in four registers. */
  private void quad(int offset, int to) {
    load(offset);
    for (int i = 0; i < 4; i += 2) {
      a.op(VPUNPCKLDQ, zmm(20 + i), zmm(16 + i), zmm(17 + i));
      a.op(VPUNPCKHDQ, zmm(21 + i), zmm(16 + i), zmm(17 + i));
    }
    a.op(VPUNPCKLQDQ, zmm(to), zmm(20), zmm(22));
    a.op(VPUNPCKHQDQ, zmm(to + 1), zmm(20), zmm(22));
    a.op(VPUNPCKLQDQ, zmm(to + 2), zmm(21), zmm(23));
    a.op(VPUNPCKHQDQ, zmm(to + 3), zmm(21), zmm(23));
  }

  /** One word of those. */
  private void word(int offset, int word, Vec to) {
    load(offset);
    Instruction pairs = word < 2 ? VPUNPCKLDQ : VPUNPCKHDQ;
    a.op(pairs, zmm(20), zmm(16), zmm(17));
    a.op(pairs, zmm(22), zmm(18), zmm(19));
    a.op(word % 2 == 0 ? VPUNPCKLQDQ : VPUNPCKHQDQ, to, zmm(20), zmm(22));
  }

  /** Quarter q of register 16 + j: the 16 bytes of row 4 q + j. */
  private void load(int offset) {
    for (int j = 0; j < 4; j++) {
      a.op(VMOVDQU32_LOAD, zmm(16 + j).xmm(), row(0, j, offset));
      for (int q = 1; q < 4; q++) {
        a.op(VINSERTI32X4, zmm(16 + j), zmm(16 + j), row(q, j, offset), q);
      }
    }
  }

  private static Mem row(int quad, int j, int offset) {
    Gpr base = ROW_QUADS[quad];
    return switch (j) {
      case 0 -> at(base, offset);
      case 1 -> at(base, STRIDE, 1, offset);
      case 2 -> at(base, STRIDE, 2, offset);
      default -> at(base, STRIDE3, 1, offset);
    };
  }

  // Scales

  private void scales() {
    switch (layout.type()) {
      case Q4_0, Q8_0, IQ4_NL -> {
        word(0, 0, zmm(0));
        half(zmm(0), LOW_WORDS, zmm(0));
        storeScale(0, zmm(0));
      }
      case Q5_0 -> {
        word(0, 0, zmm(0));
        half(zmm(0), LOW_WORDS, zmm(0));
        storeScale(0, zmm(0));
        word(2, 0, FIFTH_BITS);
      }
      case Q4_1 -> {
        word(0, 0, zmm(12));
        scaleAndNegatedMinimum(zmm(12));
      }
      case Q5_1 -> {
        quad(0, 12);
        scaleAndNegatedMinimum(zmm(12));
        a.op(VMOVDQU32_LOAD, FIFTH_BITS, zmm(13));
      }
      case MXFP4 -> exponent();
      case IQ4_XS -> iq4Scales();
      case Q2_K -> q2Scales();
      case Q3_K -> q3Scales();
      case Q4_K, Q5_K -> q4Scales();
      case Q6_K -> {
        quad(192, 0);
        word(194, 3, zmm(4));
        half(zmm(4), HIGH_WORDS, zmm(4));
        for (int i = 0; i < 16; i++) {
          int lift = 24 - 8 * (i % 4);
          Vec s = zmm(24 + i % 2);
          Vec lifted = shifted(s, zmm(i / 4), -lift);
          a.op(VPSRAD, s, lifted, 24);
          a.op(VCVTDQ2PS, s, s);
          a.op(VMULPS, s, s, zmm(4));
          storeScale(i, s);
        }
      }
      default -> throw new IllegalStateException(layout.type() + " has no scales");
    }
  }

  private void scaleAndNegatedMinimum(Vec words) {
    half(zmm(0), LOW_WORDS, words);
    storeScale(0, zmm(0));
    half(zmm(0), HIGH_WORDS, words);
    a.op(VPXORD, zmm(0), zmm(0), a.constant(0x80000000).repeat());
    storeMinimum(0, zmm(0));
  }

  /** {@code 2^(e - 128)}, as the bits of a float; 0 instead of the subnormals of e = 0 and 1. */
  private void exponent() {
    word(0, 0, zmm(0));
    a.op(VPANDD, zmm(0), zmm(0), a.constant(0xFF).repeat());
    a.op(VPSUBUSB, zmm(0), zmm(0), a.constant(filled(0x00000001)));
    a.op(VPSLLD, zmm(0), zmm(0), 23);
    storeScale(0, zmm(0));
  }

  private static int[] filled(int word) {
    int[] all = new int[ROWS];
    Arrays.fill(all, word);
    return all;
  }

  /** {@code d * (s - 32)}: low four bits of s in nibbles of word 1, high two above d in word 0. */
  private void iq4Scales() {
    quad(0, 0);
    half(zmm(2), LOW_WORDS, zmm(0));
    for (int g = 0; g < 8; g++) {
      Vec s = zmm(24);
      Vec high = zmm(25);
      a.op(VPANDD, s, shifted(s, zmm(1), 4 * g), a.constant(0x0F).repeat());
      a.op(VPSRLD, high, zmm(0), 12 + 2 * g);
      a.op(VPTERNLOGD, s, high, a.constant(0x30).repeat(), OR_AND);
      a.op(VPSUBD, s, s, a.constant(32).repeat());
      a.op(VCVTDQ2PS, s, s);
      a.op(VMULPS, s, s, zmm(2));
      storeScale(g, s);
    }
  }

  /** Scale in the low nibble of a byte, minimum in the high one. */
  private void q2Scales() {
    quad(0, 0);
    word(68, 3, zmm(6));
    half(zmm(4), LOW_WORDS, zmm(6));
    half(zmm(5), HIGH_WORDS, zmm(6));
    for (int i = 0; i < 16; i++) {
      Vec s = zmm(24);
      Vec m = zmm(25);
      int shift = 8 * (i % 4);
      a.op(VPANDD, s, shifted(s, zmm(i / 4), shift), a.constant(0x0F).repeat());
      a.op(VPANDD, m, shifted(m, zmm(i / 4), shift + 4), a.constant(0x0F).repeat());
      a.op(VCVTDQ2PS, s, s);
      a.op(VCVTDQ2PS, m, m);
      a.op(VMULPS, s, s, zmm(4));
      a.op(VMULPS, m, m, zmm(5));
      storeScale(i, s);
      storeMinimum(i, m);
    }
  }

  /** {@code d * (s - 32)}: 12 bytes behind two quants, low nibbles first, then two bits of each. */
  private void q3Scales() {
    quad(94, 0);
    half(zmm(4), HIGH_WORDS, zmm(3));
    for (int i = 0; i < 3; i++) {
      a.op(VPSRLD, zmm(5), zmm(i), 16);
      a.op(VPSLLD, zmm(6), zmm(i + 1), 16);
      a.op(VPORD, zmm(i), zmm(5), zmm(6));
    }
    for (int word = 0; word < 4; word++) {
      Vec low = zmm(5);
      Vec high = zmm(6);
      a.op(VPANDD, low, shifted(low, zmm(word % 2), word / 2 * 4), everyByte(0x0F).repeat());
      Vec top = shifted(high, zmm(2), 2 * word - 4);
      a.op(VPTERNLOGD, low, top, everyByte(0x30).repeat(), OR_AND);
      for (int i = 0; i < 4; i++) {
        Vec s = zmm(24 + i % 2);
        byteOf(s, low, i);
        a.op(VPSUBD, s, s, a.constant(32).repeat());
        a.op(VCVTDQ2PS, s, s);
        a.op(VMULPS, s, s, zmm(4));
        storeScale(4 * word + i, s);
      }
    }
  }

  /** Words: d and dmin; then six-bit scales and minimums in 12 bytes, the last ones split. */
  private void q4Scales() {
    quad(0, 0);
    half(zmm(4), LOW_WORDS, zmm(0));
    half(zmm(5), HIGH_WORDS, zmm(0));
    sixBits(zmm(6), zmm(1), 0);
    sixBits(zmm(7), zmm(2), 4);
    a.op(VPANDD, zmm(1), zmm(1), everyByte(0x3F).repeat());
    a.op(VPANDD, zmm(2), zmm(2), everyByte(0x3F).repeat());
    for (int g = 0; g < 8; g++) {
      Vec s = zmm(24);
      Vec m = zmm(25);
      byteOf(s, zmm(g < 4 ? 1 : 6), g % 4);
      byteOf(m, zmm(g < 4 ? 2 : 7), g % 4);
      a.op(VCVTDQ2PS, s, s);
      a.op(VCVTDQ2PS, m, m);
      a.op(VMULPS, s, s, zmm(4));
      a.op(VMULPS, m, m, zmm(5));
      storeScale(g, s);
      storeMinimum(g, m);
    }
  }

  /**
   * The low nibbles of word 3 shifted by {@code shift}, under the top two bits of {@code first}.
   */
  private void sixBits(Vec to, Vec first, int shift) {
    a.op(VPANDD, to, shifted(to, zmm(3), shift), everyByte(0x0F).repeat());
    a.op(VPSRLD, zmm(24), first, 2);
    a.op(VPTERNLOGD, to, zmm(24), everyByte(0x30).repeat(), OR_AND);
  }

  /** Byte {@code i} of each word, zero-extended. */
  private void byteOf(Vec to, Vec words, int i) {
    if (i == 3) {
      a.op(VPSRLD, to, words, 24);
    } else {
      a.op(VPANDD, to, shifted(to, words, 8 * i), a.constant(0xFF).repeat());
    }
  }

  /** The float16 in the chosen half of each word, as float32. */
  private void half(Vec to, Vec which, Vec words) {
    a.op(VPERMW, zmm(24), which, words);
    a.op(VCVTPH2PS, to, zmm(24).ymm());
  }

  private void storeScale(int i, Vec scale) {
    int n = layout.scalesPerGroup();
    int at = i / n * layout.packedBytes() + BlockLayout.scaleAt(i % n);
    a.store(VMOVDQU32_STORE, at(OUT, at), scale);
  }

  private void storeMinimum(int i, Vec minimum) {
    int n = layout.scalesPerGroup();
    int at = i / n * layout.packedBytes() + layout.minimumAt(i % n);
    a.store(VMOVDQU32_STORE, at(OUT, at), minimum);
  }
}
