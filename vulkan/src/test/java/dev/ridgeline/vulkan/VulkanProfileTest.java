package dev.ridgeline.vulkan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.Step;
import dev.ridgeline.backend.StepProfile;
import dev.ridgeline.graph.Op;
import dev.ridgeline.testing.OpCase;
import dev.ridgeline.testing.SpeedCases;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VulkanProfileTest {
  @ParameterizedTest
  @ValueSource(strings = {"f16", "q8_0", "q4_k"})
  void everyKernelOfAProductIsNamedAsPartOfItWhateverTheNumberOfTokens(String type) {
    OpCase product =
        SpeedCases.all(1 << 20).stream()
            .filter(c -> c.name().startsWith("matmul " + type + " "))
            .findFirst()
            .orElseThrow();
    OpCase.Setup setup = product.setup();
    TestDevice device = TestDevice.open();
    try (var backend = new VulkanBackend(device.instance, device.index);
        Executable executable = backend.compile(setup.graph(), setup::tensor, setup.capacity())) {
      var step = new Step(setup.capacity());
      for (int pass = 0; pass < setup.passes().size(); pass++) {
        setup.fill(step, pass);
        List<String> kernels =
            executable.profile(step).parts().stream()
                .filter(p -> p.ops().stream().anyMatch(op -> op instanceof Op.MatMul))
                .map(StepProfile.Part::kernel)
                .toList();
        assertThat(kernels).as("pass %d", pass).anyMatch(k -> k.startsWith("mul_mat"));
        assertThat(kernels).noneMatch(k -> k.startsWith("argmax") || k.startsWith("get_rows"));
      }
    }
  }
}
