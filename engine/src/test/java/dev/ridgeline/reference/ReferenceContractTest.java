package dev.ridgeline.reference;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.testing.BackendContract;

class ReferenceContractTest extends BackendContract {
  private final Backend reference = new ReferenceBackend();

  @Override
  protected Backend backend() {
    return reference;
  }

  /** Each row is computed by itself, in one order. */
  @Override
  protected double relativeTolerance() {
    return 0;
  }
}
