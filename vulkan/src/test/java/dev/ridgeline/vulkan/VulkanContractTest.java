package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.testing.BackendContract;
import org.junit.jupiter.api.BeforeAll;

class VulkanContractTest extends BackendContract {
  /** Products in a row in the test's model: q, o, up and down of two layers, and the output. */
  private static final int PRODUCTS = 9;

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
   * Few tokens and many are multiplied by different kernels. Those in float32 sum in different
   * orders: {@code 6 sqrt(64) 2^-24} of about 8 times the result, 2.3e-5 for each product; and
   * where a sum then falls on the other side of a rounding of K or V to float16, 2^-11 of that
   * element. With quantized weights, up to 16 tokens also round their activations to int8, half a
   * percent of a result; and where that makes the router choose another expert, a logit moves by
   * what one expert adds, up to about a logit's own size. (With float32 kernels for them too, all
   * variants pass at the bound of F32.)
   */
  @Override
  protected double relativeTolerance(DType type, int fewestTokens) {
    return type.isQuantized() ? 1 : PRODUCTS * 2.3e-5 + 0x1p-11;
  }
}
