package dev.ridgeline.cpu;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.testing.BackendContract;

/** With the kernels that this machine gets. */
class CpuContractTest extends BackendContract {
  /** Matrices in a row from a token to its logits. */
  private static final int PRODUCTS = 10;

  private final Backend cpu = new CpuBackend(new BackendOptions(2, 0));

  @Override
  protected Backend backend() {
    return cpu;
  }

  /**
   * Machine code computes each token alike whatever stands beside it. The Vector API's kernels,
   * which F32, F16 and BF16 weights always meet, sum in different orders for one token and many:
   * {@code 6 sqrt(64) 2^-24} of about 8 times the result, 2.3e-5 for each product; and where a sum
   * then falls on the other side of a rounding of K or V to float16, 2^-11 of that element.
   */
  @Override
  protected double relativeTolerance(DType type, int fewestTokens) {
    return PRODUCTS * 2.3e-5 + 0x1p-11;
  }
}
