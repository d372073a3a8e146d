package dev.ridgeline.vulkan;

import dev.ridgeline.backend.ActivationPlan;
import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Degradation;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.backend.MemoryPlan;
import dev.ridgeline.backend.Weights;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.LayerSplit;
import dev.ridgeline.vulkan.device.GpuDevice;
import dev.ridgeline.vulkan.device.VulkanException;
import dev.ridgeline.vulkan.device.VulkanInstance;
import java.util.List;

/**
 * Runs graphs on a Vulkan 1.3 device. Weights are decoded exactly; products, norms and attention
 * are summed in float32 of float32 activations.
 */
public final class VulkanBackend implements Backend {
  private final VulkanInstance instance;
  private final GpuDevice device;
  private final Pipelines pipelines;

  /** On device {@code index} of {@code instance}; closes both. */
  public VulkanBackend(VulkanInstance instance, int index) {
    this(instance, instance.device(index));
  }

  /** On {@code device} of {@code instance}; closes both. */
  VulkanBackend(VulkanInstance instance, GpuDevice device) {
    this.instance = instance;
    this.device = device;
    pipelines = new Pipelines(device);
  }

  @Override
  public String name() {
    return "vulkan";
  }

  @Override
  public String description() {
    return device.info().toString();
  }

  @Override
  public String device() {
    return "vulkan %d, %s".formatted(device.info().index(), device.info().name());
  }

  @Override
  public MemoryPlan plan(Graph graph, Capacity capacity) {
    Graph split = Lowering.split(graph);
    return new MemoryPlan(
        WeightStore.weights(graph).stream().mapToLong(WeightStore::bytes).sum(),
        0,
        MemoryPlan.kvBytes(graph, capacity),
        new ActivationPlan(Lowering.of(split), split, capacity).bytes()
            + Scratch.sizes(split, capacity, MatrixProducts.has(device.info())).bytes()
            + StepBuffer.bytes(capacity)
            + LayerSplit.inputBytes(graph, capacity.maxTokens()),
        WeightStore.stagingBytes(device) + VulkanExecutable.logitsBytes(graph, capacity));
  }

  @Override
  public boolean readsWeightsInPlace() {
    return false;
  }

  @Override
  public Executable compile(Graph graph, Weights weights, Capacity capacity) {
    long free = availableBytes();
    try {
      return new VulkanExecutable(device, pipelines, graph, weights, capacity);
    } catch (VulkanException e) {
      if (!e.isOutOfMemory()) {
        throw e;
      }
      int kvTokens =
          capacity.kvBlocks().stream().mapToInt(b -> b * capacity.blockTokens()).max().orElse(0);
      throw new VulkanException(
          ("%s: %s; planned: %s, of %.3f GB that were free. Close what else uses the device, or take"
                  + " a smaller context, fewer sequences, the KV type q8_0 or fewer --gpu-layers")
              .formatted(
                  device(), e.getMessage(), plan(graph, capacity).arithmetic(kvTokens), free / 1e9),
          e);
    }
  }

  @Override
  public long availableBytes() {
    return device.availableBytes();
  }

  /** Buffers that are not freed. */
  int buffers() {
    return device.buffers();
  }

  /** Their bytes. */
  long bufferBytes() {
    return device.bufferBytes();
  }

  /** Bytes of a plan that are freed once the weights are there. */
  long uploadBytes() {
    return WeightStore.stagingBytes(device);
  }

  @Override
  public int threads() {
    return 1;
  }

  @Override
  public MachineLimits measureLimits() {
    return DeviceProbe.measure(device, pipelines);
  }

  @Override
  public List<Degradation> degradations() {
    return List.of();
  }

  @Override
  public void close() {
    device.close();
    if (!device.isStuck()) {
      instance.close();
    }
  }
}
