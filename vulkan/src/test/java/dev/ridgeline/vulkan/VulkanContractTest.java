package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.testing.BackendContract;
import org.junit.jupiter.api.BeforeAll;

class VulkanContractTest extends BackendContract {
  private VulkanBackend backend;

  @BeforeAll
  void open() {
    TestDevice device = TestDevice.open();
    backend = new VulkanBackend(device.instance, device.index);
  }

  @Override
  protected Backend backend() {
    return backend;
  }

  /**
   * Few tokens and many take different kernels, which sum in different orders: a product of up to
   * 160 terms errs by up to 6 sqrt(160) 2^-24 = 4.5e-6 of its sum of magnitudes, which is up to
   * sqrt(160) times the result; two layers of eight ops pass it on, at most doubled by each norm.
   */
  @Override
  protected double relativeTolerance() {
    return 2e-3;
  }
}
