package dev.ridgeline.cpu.vector;

import com.sun.management.ThreadMXBean;
import dev.ridgeline.backend.Degradation;
import dev.ridgeline.cpu.kernel.PackCall;
import dev.ridgeline.cpu.kernel.Packing;
import dev.ridgeline.cpu.kernel.ProductCall;
import dev.ridgeline.cpu.kernel.ProductKernel;
import dev.ridgeline.graph.Activation;
import dev.ridgeline.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.Optional;

/**
 * Whether this JVM keeps vectors in registers. Vector kernels that are not compiled by C2 work, but
 * each operation puts an object on the heap and takes a hundred times as long.
 */
public final class VectorSelfTest {
  /**
   * C2 takes a fraction of a second for a kernel. This thread's time, not the clock's: on a busy
   * machine C2 has to wait as it does.
   */
  private static final long PATIENCE_NANOS = 3_000_000_000L;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static final int CALLS = 64;
  private static final int ROWS = 8;
  private static final int COLS = 2048;

  /** A kernel of each kind: one row, one row with codes, a tile. */
  private record Sample(DType type, int tokens) {}

  private static final Sample[] SAMPLES = {
    new Sample(DType.F16, 1), new Sample(DType.Q4_K, 1), new Sample(DType.Q8_0, 8)
  };

  private VectorSelfTest() {}

  /**
   * Runs the kernels until they stop allocating, which takes a second, and says {@link
   * Degradation#BOXED_VECTORS} when they do not within three. Nothing to find out without C2.
   */
  public static Optional<Degradation> run() {
    if (!hasC2()) {
      return Optional.empty();
    }
    long deadline = THREADS.getCurrentThreadCpuTime() + PATIENCE_NANOS;
    try (Arena arena = Arena.ofConfined()) {
      for (Sample sample : SAMPLES) {
        if (!stopsAllocating(product(sample, arena), deadline)) {
          return Optional.of(Degradation.BOXED_VECTORS);
        }
      }
      long x = arena.allocate(4L * COLS, 64).address();
      Runnable gate = () -> Rows.gate(Activation.SILU, x, x, x, COLS);
      return stopsAllocating(gate, deadline)
          ? Optional.empty()
          : Optional.of(Degradation.BOXED_VECTORS);
    }
  }

  /** False where the JVM says that it only interprets, or stops at C1. Costs nothing. */
  public static boolean hasC2() {
    String mode = System.getProperty("java.vm.info", "");
    return !mode.contains("interpreted") && !mode.contains("emulated-client");
  }

  private static boolean stopsAllocating(Runnable kernel, long deadline) {
    do {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < CALLS; i++) {
        kernel.run();
      }
      // A call would leave at least one object of a vector and its array.
      if (THREADS.getCurrentThreadAllocatedBytes() - before < 48 * CALLS) {
        return true;
      }
    } while (THREADS.getCurrentThreadCpuTime() < deadline);
    return false;
  }

  private static Runnable product(Sample sample, Arena arena) {
    ProductKernel kernel =
        VectorProducts.kernels(sample.type).stream()
            .filter(k -> k.minTokens() <= sample.tokens && sample.tokens <= k.maxTokens())
            .findFirst()
            .orElseThrow();
    var pack = new PackCall();
    pack.x = arena.allocate(4L * COLS * sample.tokens, 64).address();
    pack.tokens = sample.tokens;
    pack.cols = COLS;
    pack.toCol = COLS;
    pack.packed = pack.x;
    if (!kernel.packing().equals(Packing.NONE)) {
      pack.packed = arena.allocate(kernel.packing().bytes(sample.tokens, COLS), 64).address();
      kernel.packing().pack(pack);
    }
    var call = new ProductCall();
    call.rowBytes = sample.type.bytes(COLS);
    call.weights = arena.allocate(call.rowBytes * ROWS, 64).address();
    call.rows = ROWS;
    call.cols = COLS;
    call.packed = pack.packed;
    call.tokens = sample.tokens;
    call.out = arena.allocate(4L * ROWS * sample.tokens, 64).address();
    call.outStride = 4L * ROWS;
    call.scratch = arena.allocate(kernel.scratchBytes(COLS), 64).address();
    return () -> kernel.multiply(call);
  }
}
