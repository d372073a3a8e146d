package dev.ridgeline.cpu;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.testing.BackendContract;

class CpuContractTest extends BackendContract {
  private final Backend cpu = new CpuBackend(new BackendOptions(2, 0));

  @Override
  protected Backend backend() {
    return cpu;
  }

  /**
   * One token and many are multiplied by different kernels, which sum in different orders: {@code 6
   * sqrt(64) 2^-24} of about 8 times the result, 2.3e-5 for each of about ten products in a row;
   * and where a sum then falls on the other side of a rounding of K or V to float16, 2^-11 of that
   * element.
   */
  @Override
  protected double relativeTolerance() {
    return 10 * 2.3e-5 + 0x1p-11;
  }
}
