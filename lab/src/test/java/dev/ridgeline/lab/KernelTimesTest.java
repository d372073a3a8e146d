package dev.ridgeline.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.backend.StepProfile;
import dev.ridgeline.graph.Cost;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import java.util.List;
import org.junit.jupiter.api.Test;

class KernelTimesTest {
  private static Op product(int rows) {
    var weight = new Weight("w" + rows, DType.Q8_0, 64, rows);
    return new Op.MatMul(
        new Value(0, "x", 64, Value.Rows.TOKENS),
        List.of(new Op.Product(weight, null, new Value(1, "out", rows, Value.Rows.TOKENS))));
  }

  @Test
  void theSlowestOfTheKernelsOfAnOpDoesItsWork() {
    List<Op> one = List.of(product(32));
    List<Op> other = List.of(product(96));
    var profile =
        new StepProfile(
            List.of(
                new StepProfile.Part("quantize", one, 0, 2),
                new StepProfile.Part("multiply", one, 2, 10),
                new StepProfile.Part("quantize", other, 12, 3),
                new StepProfile.Part("multiply", other, 15, 30),
                new StepProfile.Part("argmax", List.of(), 45, 50)),
            100);
    var step = new Cost.Workload(1, 1, 1, 0, DType.F16);

    List<KernelTimes> kernels = KernelTimes.of(profile, step);

    assertThat(kernels)
        .extracting(KernelTimes::kernel)
        .containsExactly("argmax", "multiply", "quantize");
    assertThat(kernels).extracting(KernelTimes::nanos).containsExactly(50.0, 40.0, 5.0);
    // 128 rows of two blocks of 34 bytes, and two operations for each of 128 x 64 weights.
    assertThat(kernels).extracting(KernelTimes::bytes).containsExactly(0L, 128 * 68L, 0L);
    assertThat(kernels).extracting(KernelTimes::flops).containsExactly(0L, 128 * 64 * 2L, 0L);
  }
}
