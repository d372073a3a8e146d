package dev.ridgeline.cpu;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.cpu.machine.MachineKernels;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.testing.BackendContract;
import org.junit.jupiter.api.Assumptions;

/** With the kernels that this machine gets. */
class CpuContractTest extends BackendContract {
  /** Matrices in a row from a token to its logits. */
  private static final int PRODUCTS = 10;

  private final Backend cpu = new CpuBackend(new BackendOptions(2, 0));

  @Override
  protected Backend backend() {
    return cpu;
  }

  @Override
  protected void assumeStepsAllocateNothing() {
    Assumptions.abort("the vector kernels still put vectors on the heap; see docs/PROGRESS.md");
  }

  /**
   * One token and many are multiplied by different kernels. The Vector API's sum in different
   * orders: {@code 6 sqrt(64) 2^-24} of about 8 times the result, 2.3e-5 for each product; and
   * where a sum then falls on the other side of a rounding of K or V to float16, 2^-11 of that
   * element. Machine code computes each token alike whatever stands beside it.
   *
   * <p>But it also rounds, and single tokens do without it. Activations for F16 and weights of F16
   * to 16 bits each: 2^-15 of a result, six standard deviations of it. With quantized weights, both
   * to bfloat16 or activations to int8, half a percent of a result; and where that makes the router
   * choose another expert, as much of a logit as one expert adds.
   */
  @Override
  protected double relativeTolerance(DType type, int fewestTokens) {
    double vector = PRODUCTS * 2.3e-5 + 0x1p-11;
    if (fewestTokens > 1 || type == DType.F32 || MachineKernels.find().kernels().isEmpty()) {
      return vector;
    }
    return type.isQuantized() ? 0.5 : vector + 6 * Math.sqrt(PRODUCTS) * 0x1p-15;
  }
}
