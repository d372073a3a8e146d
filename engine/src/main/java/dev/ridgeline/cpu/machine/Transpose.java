package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Instruction.*;
import static dev.ridgeline.cpu.machine.Operand.zmm;

/** Emits the transposition of 16 registers of 16 32-bit elements. */
final class Transpose {
  private static final int EVEN_LANES = 0x88;
  private static final int ODD_LANES = 0xDD;

  private Transpose() {}

  /**
   * Element j of register i (0 to 15) becomes element i of register j; registers 16 to 31 are
   * overwritten. 64 shuffles: pairs of rows by element, then by two elements, then two rounds over
   * the 128-bit quarters.
   */
  static void emit(Assembler a) {
    for (int i = 0; i < 16; i += 2) {
      a.op(VPUNPCKLDQ, zmm(16 + i), zmm(i), zmm(i + 1));
      a.op(VPUNPCKHDQ, zmm(17 + i), zmm(i), zmm(i + 1));
    }
    // Register 4 j + c: quarter q holds column 4 q + c of rows 4 j to 4 j + 3.
    for (int i = 0; i < 16; i += 4) {
      a.op(VPUNPCKLQDQ, zmm(i), zmm(16 + i), zmm(18 + i));
      a.op(VPUNPCKHQDQ, zmm(i + 1), zmm(16 + i), zmm(18 + i));
      a.op(VPUNPCKLQDQ, zmm(i + 2), zmm(17 + i), zmm(19 + i));
      a.op(VPUNPCKHQDQ, zmm(i + 3), zmm(17 + i), zmm(19 + i));
    }
    for (int c = 0; c < 4; c++) {
      int t = 16 + 4 * c;
      a.op(VSHUFI32X4, zmm(t), zmm(c), zmm(4 + c), EVEN_LANES);
      a.op(VSHUFI32X4, zmm(t + 1), zmm(c), zmm(4 + c), ODD_LANES);
      a.op(VSHUFI32X4, zmm(t + 2), zmm(8 + c), zmm(12 + c), EVEN_LANES);
      a.op(VSHUFI32X4, zmm(t + 3), zmm(8 + c), zmm(12 + c), ODD_LANES);
      a.op(VSHUFI32X4, zmm(c), zmm(t), zmm(t + 2), EVEN_LANES);
      a.op(VSHUFI32X4, zmm(4 + c), zmm(t + 1), zmm(t + 3), EVEN_LANES);
      a.op(VSHUFI32X4, zmm(8 + c), zmm(t), zmm(t + 2), ODD_LANES);
      a.op(VSHUFI32X4, zmm(12 + c), zmm(t + 1), zmm(t + 3), ODD_LANES);
    }
  }
}
