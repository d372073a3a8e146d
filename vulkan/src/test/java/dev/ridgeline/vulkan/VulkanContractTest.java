package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.testing.BackendContract;
import dev.ridgeline.testing.TinyModel;
import org.junit.jupiter.api.BeforeAll;

class VulkanContractTest extends BackendContract {
  /** Products in a row in the test's model: q, o, up and down of two layers, and the output. */
  private static final int PRODUCTS = 9;

  /** K and V of two layers. */
  private static final int KV_ROUNDINGS = 4;

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
   * element. With quantized weights, up to 32 tokens also round their activations to int8, 0.5 % of
   * a result (root mean square; half a level of 127, over {@code sqrt 3}, beside a typical element
   * at a third of its block's largest); K and V in q8_0 add as much for each of two layers. These
   * are independent: {@code 0.5 % sqrt(9 + 4)} of a logit, of which six deviations cover all
   * logits. (Measured: 1.3 to 1.7 % root mean square, 8.2 % at most of 46,560.)
   */
  @Override
  protected double relativeTolerance(DType type, int fewestTokens) {
    return type.isQuantized()
        ? 6 * 0.005 * Math.sqrt(PRODUCTS + KV_ROUNDINGS)
        : PRODUCTS * 2.3e-5 + 0x1p-11;
  }

  /**
   * With two, a token of one sequence in q8_0 has its second and third expert so close that int8
   * chooses the other: all of its logits then move, by up to 0.78 of their root mean square. That
   * is the router's doing and no kernel's; every other token stays within the bound.
   */
  @Override
  protected int expertsUsed(DType type) {
    return type.isQuantized() ? TinyModel.EXPERTS : super.expertsUsed(type);
  }
}
