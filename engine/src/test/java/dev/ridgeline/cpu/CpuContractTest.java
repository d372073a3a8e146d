package dev.ridgeline.cpu;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.testing.BackendContract;

/** With the kernels that this machine gets. */
class CpuContractTest extends BackendContract {
  private final Backend cpu = new CpuBackend(new BackendOptions(2, 0));

  @Override
  protected Backend backend() {
    return cpu;
  }

  /** Each token is computed alike whatever stands beside it, by machine code and by vectors. */
  @Override
  protected double relativeTolerance(DType type, int fewestTokens) {
    return 0;
  }
}
