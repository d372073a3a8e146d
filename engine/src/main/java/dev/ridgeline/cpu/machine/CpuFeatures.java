package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Operand.at;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What the processor can do and the operating system lets programs use.
 *
 * @param avx512 F, DQ, BW, VL and VBMI, with 512-bit state enabled
 * @param vnni {@code avx512} and dot products of bytes ({@code vpdpbusd})
 * @param amxBf16 {@code avx512}, its bf16 conversions, and bf16 tile products with tile state
 *     enabled; before the first use {@link #requestTiles()} must have succeeded
 */
record CpuFeatures(boolean avx512, boolean vnni, boolean amxBf16) {
  private static final int SYS_ARCH_PRCTL = 158;
  private static final int ARCH_REQ_XCOMP_PERM = 0x1023;
  private static final int XFEATURE_XTILEDATA = 18;

  /** XCR0: SSE, AVX, and the three parts of AVX-512. */
  private static final int AVX512_STATE = 0xE6;

  /** XCR0: tile configuration and tile data. */
  private static final int TILE_STATE = 0x60000;

  /** Whether this is a system whose calling convention and system calls this package speaks. */
  static boolean isSupportedSystem() {
    return System.getProperty("os.name", "").equals("Linux")
        && System.getProperty("os.arch", "").equals("amd64");
  }

  /** Asks the processor. */
  static CpuFeatures detect() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment leaf = arena.allocate(4 * Integer.BYTES);
      NativeCode query = NativeCode.install("cpuid", queryCode());
      int highest = leaf(query, leaf, 0, 0)[0];
      boolean osxsave = bit(leaf(query, leaf, 1, 0)[2], 27);
      if (highest < 7 || !osxsave) {
        return new CpuFeatures(false, false, false);
      }
      int[] seven = leaf(query, leaf, 7, 0);
      int[] sevenOne = leaf(query, leaf, 7, 1);
      query.call(leaf.address(), 0, 0, 1, 0, 0);
      int state = leaf.get(ValueLayout.JAVA_INT, 0);
      boolean avx512 =
          (state & AVX512_STATE) == AVX512_STATE
              && bit(seven[1], 16) // F
              && bit(seven[1], 17) // DQ
              && bit(seven[1], 30) // BW
              && bit(seven[1], 31) // VL
              && bit(seven[2], 1); // VBMI
      boolean bf16 = bit(sevenOne[0], 5);
      boolean amx =
          (state & TILE_STATE) == TILE_STATE && bit(seven[3], 22) && bit(seven[3], 24); // AMX-BF16
      return new CpuFeatures(avx512, avx512 && bit(seven[2], 11), avx512 && bf16 && amx);
    }
  }

  /**
   * Asks the system for the tile registers, which it grants a process on request (8 KB of state a
   * thread); may be repeated.
   */
  static boolean requestTiles() {
    return NativeCode.systemCall(SYS_ARCH_PRCTL, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
  }

  private static int[] leaf(NativeCode query, MemorySegment into, int leaf, int subleaf) {
    query.call(into.address(), leaf, subleaf, 0, 0, 0);
    return into.toArray(ValueLayout.JAVA_INT);
  }

  private static boolean bit(int word, int bit) {
    return (word >>> bit & 1) != 0;
  }

  /**
   * {@code f(int32[4] out, leaf, subleaf, extended)}: CPUID's EAX, EBX, ECX, EDX, or, if extended
   * is not 0, XCR0's low half.
   */
  private static byte[] queryCode() {
    var a = new Assembler();
    var xcr0 = new Assembler.Label();
    var store = new Assembler.Label();
    a.push(Gpr.RBX);
    a.mov(Gpr.RAX, Gpr.RSI);
    a.mov(Gpr.R8, Gpr.RCX);
    a.mov(Gpr.RCX, Gpr.RDX);
    a.cmp(Gpr.R8, 0);
    a.jump(Assembler.Condition.NOT_EQUAL, xcr0);
    a.cpuid();
    a.jump(store);
    a.bind(xcr0);
    a.xgetbv();
    a.bind(store);
    a.mov32(at(Gpr.RDI), Gpr.RAX);
    a.mov32(at(Gpr.RDI, 4), Gpr.RBX);
    a.mov32(at(Gpr.RDI, 8), Gpr.RCX);
    a.mov32(at(Gpr.RDI, 12), Gpr.RDX);
    a.pop(Gpr.RBX);
    a.ret();
    return a.finish();
  }
}
