package dev.ridgeline.cpu.machine;

/**
 * The vector instructions that kernels use, named by their mnemonics, with all that their encoding
 * needs. All are encoded with EVEX.
 *
 * <p>Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2.
 */
enum Instruction {
  // Moves
  VMOVDQU32_LOAD(2, 1, 0, 0x6F, Tuple.FULL),
  VMOVDQU32_STORE(2, 1, 0, 0x7F, Tuple.FULL),
  VMOVSS_STORE(2, 1, 0, 0x11, Tuple.BYTES4),
  VPBROADCASTD(1, 2, 0, 0x58, Tuple.BYTES4),
  VINSERTI32X4(1, 3, 0, 0x38, Tuple.BYTES16),
  VPMOVDB_STORE(2, 2, 0, 0x31, Tuple.QUARTER),
  // Shuffles
  VPUNPCKLDQ(1, 1, 0, 0x62, Tuple.FULL),
  VPUNPCKHDQ(1, 1, 0, 0x6A, Tuple.FULL),
  VPUNPCKLQDQ(1, 1, 1, 0x6C, Tuple.FULL),
  VPUNPCKHQDQ(1, 1, 1, 0x6D, Tuple.FULL),
  VSHUFI32X4(1, 3, 0, 0x43, Tuple.FULL),
  VPSHUFD(1, 1, 0, 0x70, Tuple.FULL),
  VPERMW(1, 2, 1, 0x8D, Tuple.FULL),
  VPERMD(1, 2, 0, 0x36, Tuple.FULL),
  VPSHUFB(1, 2, 0, 0x00, Tuple.FULL),
  // Conversions
  VPMOVZXWD(1, 2, 0, 0x33, Tuple.HALF),
  VPMOVZXBD(1, 2, 0, 0x31, Tuple.QUARTER),
  VCVTPH2PS(1, 2, 0, 0x13, Tuple.HALF),
  VCVTDQ2PS(0, 1, 0, 0x5B, Tuple.FULL),
  VCVTPS2DQ(1, 1, 0, 0x5B, Tuple.FULL),
  // Float arithmetic
  VADDPS(0, 1, 0, 0x58, Tuple.FULL),
  VSUBPS(0, 1, 0, 0x5C, Tuple.FULL),
  VMULPS(0, 1, 0, 0x59, Tuple.FULL),
  VDIVPS(0, 1, 0, 0x5E, Tuple.FULL),
  VSQRTPS(0, 1, 0, 0x51, Tuple.FULL),
  VMINPS(0, 1, 0, 0x5D, Tuple.FULL),
  VMAXPS(0, 1, 0, 0x5F, Tuple.FULL),
  VFMADD231PS(1, 2, 0, 0xB8, Tuple.FULL),
  VFNMADD231PS(1, 2, 0, 0xBC, Tuple.FULL),
  // Integer arithmetic
  VPADDD(1, 1, 0, 0xFE, Tuple.FULL),
  VPSUBUSB(1, 1, 0, 0xD8, Tuple.FULL),
  VPSUBD(1, 1, 0, 0xFA, Tuple.FULL),
  VPANDD(1, 1, 0, 0xDB, Tuple.FULL),
  VPORD(1, 1, 0, 0xEB, Tuple.FULL),
  VPXORD(1, 1, 0, 0xEF, Tuple.FULL),
  VPTERNLOGD(1, 3, 0, 0x25, Tuple.FULL),
  VPSRLD(1, 1, 0, 0x72, 2, Tuple.FULL),
  VPSLLD(1, 1, 0, 0x72, 6, Tuple.FULL),
  VPSRAD(1, 1, 0, 0x72, 4, Tuple.FULL),
  VPDPBUSD(1, 2, 0, 0x50, Tuple.FULL),
  /** Writes the mask register of its destination's number. */
  VPCMPD(1, 3, 0, 0x1F, Tuple.FULL);

  /** Bytes that a memory operand spans: the unit of EVEX's compressed displacements. */
  enum Tuple {
    /** As wide as the vector, or one repeated element. */
    FULL(0, 1),
    HALF(0, 2),
    QUARTER(0, 4),
    BYTES4(4, 0),
    BYTES16(16, 0);

    private final int bytes;
    private final int share;

    Tuple(int bytes, int share) {
      this.bytes = bytes;
      this.share = share;
    }

    /** Bytes of a memory operand beside vectors of {@code bits}. */
    int unit(int bits, boolean repeated) {
      return repeated ? Float.BYTES : share == 0 ? bytes : bits / 8 / share;
    }
  }

  private final int prefix;
  private final int map;
  private final int w;
  private final int opcode;
  private final int digit;
  private final Tuple tuple;

  Instruction(int prefix, int map, int w, int opcode, Tuple tuple) {
    this(prefix, map, w, opcode, -1, tuple);
  }

  Instruction(int prefix, int map, int w, int opcode, int digit, Tuple tuple) {
    this.prefix = prefix;
    this.map = map;
    this.w = w;
    this.opcode = opcode;
    this.digit = digit;
    this.tuple = tuple;
  }

  /** Mandatory prefix: 0 none, 1 for 66, 2 for F3, 3 for F2. */
  int prefix() {
    return prefix;
  }

  /** Opcode map: 1 for 0F, 2 for 0F38, 3 for 0F3A. */
  int map() {
    return map;
  }

  int w() {
    return w;
  }

  int opcode() {
    return opcode;
  }

  /** Opcode extension in ModRM.reg where the destination is in vvvv (shifts), or -1. */
  int digit() {
    return digit;
  }

  Tuple tuple() {
    return tuple;
  }
}
