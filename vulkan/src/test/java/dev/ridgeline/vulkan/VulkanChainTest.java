package dev.ridgeline.vulkan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.Step;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.testing.TinyModel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Kernels that wait inside for those before them, instead of at barriers. */
class VulkanChainTest {
  private static final String CHAIN = "ridgeline.vulkan.chain";
  private static final int STEPS = 12;
  private static final Capacity CAPACITY =
      new Capacity(16, 12, 12, 32, 8, List.of(48, 48), KvType.F16);

  private static List<float[]> logits(
      VulkanBackend backend, DType type, int sequences, boolean chain) {
    System.setProperty(CHAIN, Boolean.toString(chain));
    var model = new TinyModel(type);
    var result = new ArrayList<float[]>();
    try (Executable e = backend.compile(Fusion.fuse(model.graph), model.weights(), CAPACITY)) {
      var step = new Step(CAPACITY);
      for (int position = 0; position < STEPS; position++) {
        step.clear();
        for (int s = 0; s < sequences; s++) {
          int[] table = {4 * s, 4 * s + 1, 4 * s + 2, 4 * s + 3};
          step.beginSequence(new int[][] {table, table});
          step.addToken((5 * position + 3 * s) % TinyModel.VOCABULARY, position, true);
        }
        e.run(step);
        for (int output = 0; output < sequences; output++) {
          float[] row = new float[e.vocabularySize()];
          e.logits(output, row);
          result.add(row);
        }
      }
    } finally {
      System.clearProperty(CHAIN);
    }
    return result;
  }

  @ParameterizedTest
  @CsvSource({"Q4_0,1", "Q8_0,2", "Q4_0,4", "Q4_0,12", "F32,1"})
  void aChainGivesTheBitsOfBarriers(DType type, int sequences) {
    TestDevice device = TestDevice.open();
    try (var backend = new VulkanBackend(device.instance, device.index)) {
      List<float[]> chained = logits(backend, type, sequences, true);
      List<float[]> expected = logits(backend, type, sequences, false);
      for (int i = 0; i < expected.size(); i++) {
        assertThat(chained.get(i)).as("output " + i).isEqualTo(expected.get(i));
      }
      assertThat(device.instance.messages()).isEmpty();
    }
  }
}
