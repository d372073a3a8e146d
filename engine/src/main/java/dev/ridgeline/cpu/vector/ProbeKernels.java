package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.vector.Lanes.BYTES;
import static dev.ridgeline.cpu.vector.Lanes.N;

import dev.ridgeline.cpu.kernel.Memory;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Loops that do nothing but what a limit is made of. */
public final class ProbeKernels {
  /** Floating-point operations of one iteration of {@link #multiplyAdd}: ten chains. */
  public static final long OPERATIONS = 2L * 10 * N;

  private static final int STREAMS = 4;

  private ProbeKernels() {}

  /** Reads {@code bytes} bytes in four parts at once, which hides more latency than one part. */
  public static long read(long address, long bytes) {
    long part = bytes / STREAMS & -BYTES;
    IntVector a = IntVector.zero(Lanes.I);
    IntVector b = a;
    IntVector c = a;
    IntVector d = a;
    for (long at = 0; at < part; at += BYTES) {
      long p = address + at & Memory.MASK;
      a = a.lanewise(VectorOperators.XOR, load(p));
      b = b.lanewise(VectorOperators.XOR, load(p + part));
      c = c.lanewise(VectorOperators.XOR, load(p + 2 * part));
      d = d.lanewise(VectorOperators.XOR, load(p + 3 * part));
    }
    return a.add(b).add(c.add(d)).reduceLanes(VectorOperators.XOR);
  }

  private static IntVector load(long address) {
    return IntVector.fromMemorySegment(Lanes.I, Memory.ALL, address & Memory.MASK, Lanes.LE);
  }

  /** Ten independent chains of multiply-adds in registers: as many as hide an FMA's latency. */
  public static float multiplyAdd(int iterations) {
    FloatVector x = FloatVector.broadcast(Lanes.F, 0.5f);
    FloatVector a = x;
    FloatVector b = x;
    FloatVector c = x;
    FloatVector d = x;
    FloatVector e = x;
    FloatVector f = x;
    FloatVector g = x;
    FloatVector h = x;
    FloatVector i = x;
    FloatVector j = x;
    for (int n = 0; n < iterations; n++) {
      a = a.fma(x, x);
      b = b.fma(x, x);
      c = c.fma(x, x);
      d = d.fma(x, x);
      e = e.fma(x, x);
      f = f.fma(x, x);
      g = g.fma(x, x);
      h = h.fma(x, x);
      i = i.fma(x, x);
      j = j.fma(x, x);
    }
    return a.add(b).add(c).add(d).add(e).add(f).add(g).add(h).add(i).add(j).lane(0);
  }
}
