package dev.ridgeline.vulkan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.Place;
import dev.ridgeline.backend.PlacedBackend;
import dev.ridgeline.cpu.CpuBackend;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.testing.TinyModel;
import dev.ridgeline.testing.TwoSequences;
import dev.ridgeline.vulkan.device.VulkanInstance;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A model of two layers, of two KV groups, on two devices, and on the processor and a device. */
class VulkanSplitTest {
  private final List<VulkanInstance> instances = new ArrayList<>();

  private Backend vulkan() {
    TestDevice device = TestDevice.open();
    instances.add(device.instance);
    return new VulkanBackend(device.instance, device.index);
  }

  private PlacedBackend split(int layers, int devices) {
    List<Supplier<Backend>> all = Collections.nCopies(devices, this::vulkan);
    return new PlacedBackend(
        new PlacedBackend.Choice(
            all,
            Collections.nCopies(devices, 1.0 / devices),
            () -> new CpuBackend(new BackendOptions(2, 0)),
            layers,
            devices > 1));
  }

  @AfterEach
  void nothingWasSaid() {
    instances.forEach(i -> assertThat(i.messages()).isEmpty());
  }

  @Test
  void twoDevicesGiveTheBitsOfOne() {
    for (DType type : List.of(DType.F32, DType.Q4_0)) {
      var model = new TinyModel(type);
      Graph graph = Fusion.fuse(model.graph);
      try (Backend one = vulkan();
          Backend two = split(BackendOptions.AUTO_LAYERS, 2);
          Executable whole = one.compile(graph, model.weights(), TwoSequences.CAPACITY);
          Executable parts = two.compile(graph, model.weights(), TwoSequences.CAPACITY)) {
        assertThat(two.places(graph, TwoSequences.CAPACITY))
            .extracting(Place::layers)
            .containsExactly(1, 1);
        for (int[] chunk : TwoSequences.chunks()) {
          float[][] expected = TwoSequences.lastRows(whole, chunk[0], chunk[1]);
          assertThat(TwoSequences.lastRows(parts, chunk[0], chunk[1])).isDeepEqualTo(expected);
          assertThat(parts.argmax(1)).isEqualTo(whole.argmax(1));
        }
      }
    }
  }

  /**
   * Float32 weights, the first layer on the processor: the bound of {@link VulkanContractTest},
   * sums in other orders in 9 products in a row and another rounding of K or V.
   */
  @Test
  void theProcessorAndADeviceGiveWhatTheDeviceGives() {
    var model = new TinyModel(DType.F32);
    Graph graph = Fusion.fuse(model.graph);
    try (Backend one = vulkan();
        Backend two = split(1, 1);
        Executable whole = one.compile(graph, model.weights(), TwoSequences.CAPACITY);
        Executable parts = two.compile(graph, model.weights(), TwoSequences.CAPACITY)) {
      assertThat(two.name()).isEqualTo("cpu+vulkan");
      for (int[] chunk : TwoSequences.chunks()) {
        float[][] expected = TwoSequences.lastRows(whole, chunk[0], chunk[1]);
        float[][] found = TwoSequences.lastRows(parts, chunk[0], chunk[1]);
        for (int s = 0; s < 2; s++) {
          assertThat(relativeError(found[s], expected[s])).isLessThan(9 * 2.3e-5 + 0x1p-11);
        }
      }
    }
  }

  private static double relativeError(float[] found, float[] expected) {
    double largest = 0;
    double squares = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs((double) found[i] - expected[i]));
      squares += (double) expected[i] * expected[i];
    }
    return largest / Math.sqrt(squares / expected.length);
  }
}
