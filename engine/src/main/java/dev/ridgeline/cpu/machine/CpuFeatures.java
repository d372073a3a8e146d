package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Operand.at;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What the processor can do and the operating system lets programs use.
 *
 * @param vnni AVX-512 F, DQ, BW, VL, with 512-bit state enabled, and dot products of bytes ({@code
 *     vpdpbusd})
 */
record CpuFeatures(boolean vnni) {
  /** XCR0: SSE, AVX, and the three parts of AVX-512. */
  private static final int AVX512_STATE = 0xE6;

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
        return new CpuFeatures(false);
      }
      int[] seven = leaf(query, leaf, 7, 0);
      query.call(leaf.address(), 0, 0, 1, 0, 0);
      int state = leaf.get(ValueLayout.JAVA_INT, 0);
      return new CpuFeatures(
          (state & AVX512_STATE) == AVX512_STATE
              && bit(seven[1], 16) // F
              && bit(seven[1], 17) // DQ
              && bit(seven[1], 30) // BW
              && bit(seven[1], 31) // VL
              && bit(seven[2], 11)); // VNNI
    }
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
