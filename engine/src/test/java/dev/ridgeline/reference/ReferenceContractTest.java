package dev.ridgeline.reference;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.testing.BackendContract;

class ReferenceContractTest extends BackendContract {
  private final Backend reference = new ReferenceBackend();

  @Override
  protected Backend backend() {
    return reference;
  }

  /** Each row is computed by itself, in one order. */
  @Override
  protected double relativeTolerance(DType type, int fewestTokens) {
    return 0;
  }
}
