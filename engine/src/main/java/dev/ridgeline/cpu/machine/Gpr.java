package dev.ridgeline.cpu.machine;

/**
 * The 64-bit general registers. System V: arguments in RDI, RSI, RDX, RCX, R8, R9; a function must
 * leave RBX, RBP, RSP and R12 to R15 as it found them.
 */
enum Gpr {
  RAX(0),
  RCX(1),
  RDX(2),
  RBX(3),
  RSP(4),
  RBP(5),
  RSI(6),
  RDI(7),
  R8(8),
  R9(9),
  R10(10),
  R11(11),
  R12(12),
  R13(13),
  R14(14),
  R15(15);

  private final int code;

  Gpr(int code) {
    this.code = code;
  }

  /** Its number in an encoding. */
  int code() {
    return code;
  }
}
