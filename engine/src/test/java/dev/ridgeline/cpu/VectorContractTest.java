package dev.ridgeline.cpu;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.testing.BackendContract;

/** With the Vector API's kernels alone, at the machine's width. */
class VectorContractTest extends BackendContract {
  private final Backend cpu = Widths.backend(Widths.all().getLast(), 2);

  @Override
  protected Backend backend() {
    return cpu;
  }

  /** Every product, sum and softmax takes one order, whatever stands beside a token. */
  @Override
  protected double relativeTolerance(DType type, int fewestTokens) {
    return 0;
  }
}
