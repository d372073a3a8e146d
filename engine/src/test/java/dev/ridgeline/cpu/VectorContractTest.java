package dev.ridgeline.cpu;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.testing.BackendContract;
import org.junit.jupiter.api.Assumptions;

/** With the Vector API's kernels alone, at the machine's width. */
class VectorContractTest extends BackendContract {
  private final Backend cpu = Widths.backend(Widths.all().getLast(), 2);

  @Override
  protected Backend backend() {
    return cpu;
  }

  @Override
  protected void assumeStepsAllocateNothing() {
    Assumptions.abort("the vector kernels still put vectors on the heap; see docs/PROGRESS.md");
  }

  /**
   * One token and many are multiplied by different kernels, which sum in different orders: {@code 6
   * sqrt(64) 2^-24} of about 8 times the result, 2.3e-5 for each of about ten products in a row;
   * and where a sum then falls on the other side of a rounding of K or V to float16, 2^-11 of that
   * element.
   */
  @Override
  protected double relativeTolerance(DType type, int fewestTokens) {
    return 10 * 2.3e-5 + 0x1p-11;
  }
}
