package dev.ridgeline.cpu;

import static dev.ridgeline.cpu.Products.aligned;

import dev.ridgeline.backend.ActivationPlan;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.MemoryPlan;
import dev.ridgeline.cpu.kernel.ProductKernel;
import dev.ridgeline.cpu.vector.AttentionKernel;
import dev.ridgeline.cpu.vector.DirectAttention;
import dev.ridgeline.cpu.vector.KvLayout;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.KvLayer;
import dev.ridgeline.graph.LayerSplit;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.RopeParams;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where everything of an executable lies, as offsets into three blocks of memory: KV; activations
 * (values, rotation tables, one scratch that an op's stages share, one scratch for each thread);
 * and the few vectors (norms, biases) that the file does not hold as float32.
 */
final class Plan {
  /** A rotation table serves all ops of the same parameters. */
  record Rotation(RopeParams params, @Nullable Weight freqFactors) {
    Rotation(Op.Rope op) {
      this(op.params(), op.freqFactors());
    }
  }

  private final Graph graph;
  private final Capacity capacity;
  private final KernelTable kernels;
  private final int threads;
  private final ActivationPlan buffers;
  private final List<Long> bufferAt = new ArrayList<>();
  private final Map<Rotation, Long> rotationAt = new LinkedHashMap<>();
  private final Map<Weight, Long> vectorAt = new LinkedHashMap<>();
  private final List<Long> kvAt = new ArrayList<>();
  private final long inputAt;
  private final long sharedAt;
  private final long scratchAt;
  private final long kernelScratchBytes;
  private final long scratchBytes;
  private long vectorBytes;
  private long kvBytes;

  Plan(Graph graph, Capacity capacity, KernelTable kernels, int threads) {
    this.graph = graph;
    this.capacity = capacity;
    this.kernels = kernels;
    this.threads = threads;
    buffers = new ActivationPlan(graph, capacity);
    long at = 0;
    for (int i = 0; i < buffers.buffers(); i++) {
      bufferAt.add(at);
      at += aligned(4 * buffers.elements(i));
    }
    for (Op op : graph.ops()) {
      if (op instanceof Op.Rope rope && !rotationAt.containsKey(new Rotation(rope))) {
        rotationAt.put(new Rotation(rope), at);
        at += RopeStages.tableBytes(rope.params(), capacity.maxTokens());
      }
      vectors(op).filter(v -> v.type() != DType.F32).forEach(this::placeVector);
    }
    for (KvLayer layer : graph.kvLayers()) {
      kvAt.add(kvBytes);
      long blocks = capacity.kvBlocks().get(graph.kvGroup(layer));
      kvBytes += aligned(blocks * layout(layer).blockBytes());
    }
    inputAt = at;
    at += aligned(inputBytes());
    sharedAt = at;
    scratchAt = sharedAt + graph.ops().stream().mapToLong(this::sharedBytes).max().orElse(0);
    kernelScratchBytes = graph.ops().stream().mapToLong(this::kernelScratchBytes).max().orElse(0);
    scratchBytes =
        graph.ops().stream()
            .mapToLong(op -> Math.max(scratchBytes(op), decoderBytes(op)))
            .max()
            .orElse(0);
  }

  private void placeVector(Weight weight) {
    if (vectorAt.putIfAbsent(weight, vectorBytes) == null) {
      vectorBytes += aligned(4L * weight.cols() * weight.rows());
    }
  }

  MemoryPlan memory() {
    return new MemoryPlan(
        MemoryPlan.weightBytes(graph), vectorBytes, kvBytes, activationBytes(), 0);
  }

  long activationBytes() {
    return scratchAt + threads * scratchBytes;
  }

  long valueAt(Value value) {
    return bufferAt.get(buffers.buffer(value));
  }

  Map<Rotation, Long> rotations() {
    return rotationAt;
  }

  /** Vectors that are held as float32 beside the file, with their offsets. */
  Map<Weight, Long> vectors() {
    return vectorAt;
  }

  long kvAt(KvLayer layer) {
    return kvAt.get(layer.layer());
  }

  KvLayout layout(KvLayer layer) {
    return new KvLayout(layer, capacity.kvType(), capacity.blockTokens());
  }

  /** Rows that are handed over to {@link Op.Input}. */
  long inputAt() {
    return inputAt;
  }

  long inputBytes() {
    return LayerSplit.inputBytes(graph, capacity.maxTokens());
  }

  long sharedAt() {
    return sharedAt;
  }

  long scratchAt(int worker) {
    return scratchAt + worker * scratchBytes;
  }

  /** Scratch of a thread that belongs to its product kernel. */
  long kernelScratchBytes() {
    return kernelScratchBytes;
  }

  /** Rows that {@code value} has at most. */
  int maxRows(Value value) {
    return switch (value.rows()) {
      case TOKENS -> capacity.maxTokens();
      case OUTPUTS -> capacity.maxOutputs();
    };
  }

  /** Weights that are used as plain float32, element by element. */
  private static Stream<Weight> vectors(Op op) {
    return switch (op) {
      case Op.RmsNorm n -> Stream.of(n.weight());
      case Op.AddRmsNorm n -> Stream.of(n.weight());
      case Op.MatMul m -> m.products().stream().map(Op.Product::bias).flatMap(Stream::ofNullable);
      case Op.ExpertMatMul m -> Stream.ofNullable(m.bias());
      case Op.Rope r -> Stream.ofNullable(r.freqFactors());
      case Op.Attention a -> Stream.ofNullable(a.sinks());
      case Op.Input _, Op.Embed _, Op.GatedMatMul _, Op.Gate _, Op.StoreKv _, Op.Add _ ->
          Stream.empty();
      case Op.Scale _, Op.SoftCap _, Op.SelectOutputs _, Op.Route _, Op.ExpertSum _ ->
          Stream.empty();
    };
  }

  /** Bytes that the stages of an op hand to each other. */
  private long sharedBytes(Op op) {
    return switch (op) {
      case Op.MatMul m ->
          Products.packedBytes(
              maxRows(m.x()),
              m.x().width(),
              m.products().stream().map(this::kernels).toArray(ProductKernel[][]::new));
      case Op.GatedMatMul m ->
          Products.packedBytes(
              maxRows(m.x()),
              m.x().width(),
              kernels.of(m.gate().type()),
              kernels.of(m.up().type()));
      case Op.ExpertMatMul m ->
          ExpertStages.Room.bytes(
              maxRows(m.x()) * (m.route().width() / 2),
              m.weight().experts(),
              m.weight().cols(),
              m.weight().rows(),
              kernels.of(m.weight().type()));
      case Op.Attention a ->
          AttentionStages.Cut.maxPartials(threads)
              * AttentionKernel.partialBytes(a.layer(), headsPerKvHead(a));
      case Op.Input _, Op.Embed _, Op.RmsNorm _, Op.AddRmsNorm _, Op.Gate _, Op.Rope _ -> 0;
      case Op.StoreKv _, Op.Add _, Op.Scale _, Op.SoftCap _, Op.SelectOutputs _ -> 0;
      case Op.Route _, Op.ExpertSum _ -> 0;
    };
  }

  private ProductKernel[] kernels(Op.Product product) {
    return kernels.of(product.weight().type());
  }

  static int headsPerKvHead(Op.Attention a) {
    return a.headCount() / a.layer().headCountKv();
  }

  private long kernelScratchBytes(Op op) {
    return switch (op) {
      case Op.MatMul m ->
          m.products().stream().mapToLong(p -> kernelScratchBytes(p.weight())).max().orElse(0);
      case Op.GatedMatMul m -> Math.max(kernelScratchBytes(m.gate()), kernelScratchBytes(m.up()));
      case Op.ExpertMatMul m -> kernelScratchBytes(m.weight());
      case Op.Input _, Op.Embed _, Op.RmsNorm _, Op.AddRmsNorm _, Op.Gate _, Op.Rope _ -> 0;
      case Op.StoreKv _, Op.Attention _, Op.Add _, Op.Scale _, Op.SoftCap _, Op.SelectOutputs _ ->
          0;
      case Op.Route _, Op.ExpertSum _ -> 0;
    };
  }

  private long kernelScratchBytes(Weight weight) {
    long most = 0;
    for (ProductKernel kernel : kernels.of(weight.type())) {
      most = Math.max(most, aligned(kernel.scratchBytes(weight.cols())));
    }
    return most;
  }

  /** Bytes of scratch that the decoders of rows and vectors need. */
  private long decoderBytes(Op op) {
    Stream<Weight> table = op instanceof Op.Embed e ? Stream.of(e.table()) : Stream.empty();
    return Stream.concat(table, vectors(op))
        .mapToLong(w -> aligned(kernels.decoder(w.type()).scratchBytes()))
        .max()
        .orElse(0);
  }

  /** Bytes of a thread's own scratch. */
  private long scratchBytes(Op op) {
    return switch (op) {
      case Op.GatedMatMul m -> kernelScratchBytes + ProductStages.gatedBytes(maxRows(m.x()));
      case Op.Attention a ->
          aligned(
              Math.max(
                  AttentionKernel.scratchBytes(a.layer(), headsPerKvHead(a)),
                  DirectAttention.scratchBytes(a.layer().valueDim())));
      case Op.MatMul _, Op.ExpertMatMul _ -> kernelScratchBytes;
      case Op.Input _, Op.Embed _, Op.RmsNorm _, Op.AddRmsNorm _, Op.Gate _, Op.Rope _ -> 0;
      case Op.StoreKv _, Op.Add _, Op.Scale _, Op.SoftCap _, Op.SelectOutputs _ -> 0;
      case Op.Route _, Op.ExpertSum _ -> 0;
    };
  }
}
