package dev.ridgeline.vulkan;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.Step;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.GraphBuilder;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Norms before products: inside them for one token, by a kernel of their own for several. */
class VulkanNormTest {
  private static final int VOCABULARY = 96;
  private static final Capacity CAPACITY = new Capacity(4, 4, 4, 32, 32, List.of(), KvType.F16);

  private final Map<String, Tensor> tensors = new HashMap<>();

  private Weight floats(String name, int cols, int rows) {
    var random = new Random(name.hashCode());
    MemorySegment data = Arena.ofAuto().allocate(4L * cols * rows, 64);
    for (int i = 0; i < cols * rows; i++) {
      data.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
    }
    return add(name, DType.F32, cols, rows, data);
  }

  /** Q8_0: a float16 1 and 32 bytes. */
  private Weight quantized(String name, int cols, int rows) {
    var random = new Random(name.hashCode());
    byte[] bytes = new byte[34 * (cols / 32) * rows];
    random.nextBytes(bytes);
    for (int block = 0; block < bytes.length / 34; block++) {
      bytes[34 * block] = 0;
      bytes[34 * block + 1] = 0x3C;
    }
    MemorySegment data = Arena.ofAuto().allocate(bytes.length, 64);
    MemorySegment.copy(bytes, 0, data, ValueLayout.JAVA_BYTE, 0, bytes.length);
    return add(name, DType.Q8_0, cols, rows, data);
  }

  private Weight add(String name, DType type, int cols, int rows, MemorySegment data) {
    tensors.put(name, new Tensor(name, type, new Shape(cols, rows, 1, 1), data));
    return new Weight(name, type, cols, rows, 0, 1);
  }

  private Graph graph(int width) {
    var b = new GraphBuilder();
    Value x = b.embed("embed", floats("embed", width, VOCABULARY), 1);
    Value normed = b.rmsNorm("norm", x, floats("weight", width, 1), 1e-6f);
    Value y = b.matMul("product", normed, quantized("product", width, width), null);
    Value last = b.selectOutputs("outputs", b.add("sum", x, y, 0.01f));
    Value out = b.rmsNorm("out", last, floats("weight", width, 1), 1e-6f);
    return b.build(b.matMul("head", out, quantized("head", width, VOCABULARY), null));
  }

  private static float[] logits(Executable e, int token, int others) {
    var step = new Step(CAPACITY);
    for (int i = 0; i <= others; i++) {
      step.beginSequence(new int[0][]);
      step.addToken(i == others ? token : 7 * i, 0, true);
    }
    e.run(step);
    float[] result = new float[VOCABULARY];
    e.logits(others, result);
    return result;
  }

  /** Widths whose products have workgroups of their own sizes. */
  @ParameterizedTest
  @CsvSource({"256", "1024", "2048", "2304", "4096"})
  void aTokenAloneHasTheBitsOfATokenAmongOthers(int width) {
    TestDevice device = TestDevice.open();
    Graph graph = Fusion.fuse(graph(width));
    try (var backend = new VulkanBackend(device.instance, device.index);
        Executable e =
            backend.compile(graph, name -> requireNonNull(tensors.get(name)), CAPACITY)) {
      for (int token = 1; token < 20; token++) {
        float[] alone = logits(e, token, 0);
        for (int others = 1; others < 4; others++) {
          assertThat(logits(e, token, others)).as("beside " + others).isEqualTo(alone);
        }
      }
      assertThat(device.instance.messages()).isEmpty();
    }
  }
}
