package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.KvLayer;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.RopeParams.Layout;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.vulkan.device.GpuBuffer;
import dev.ridgeline.vulkan.device.GpuPipeline;
import dev.ridgeline.vulkan.device.Recording;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Records the ops of a graph for steps of one number of tokens and outputs: op to dispatch. */
final class OpRecorder {
  /** Invocations of a matrix-vector workgroup. */
  private static final int VEC_GROUP = 128;

  /** Rows of a matrix-vector workgroup; {@code ROWS} of {@code mul_mat_vec.comp}. */
  private static final int VEC_ROWS = 2;

  /** Rows of a workgroup of integer dot products; {@code ROWS} of {@code mul_mat_vec_q.comp}. */
  private static final int DOT_ROWS = 4;

  /** Tokens of a matrix-vector workgroup at most: their sums must fit its registers. */
  private static final int VEC_TOKENS = 8;

  /** More tokens than this are a matrix-matrix product. */
  static final int MAX_VEC_TOKENS = 16;

  /** Rows and tokens of a matrix-matrix workgroup; {@code TILE} of {@code mul_mat.comp}. */
  private static final int TILE = 64;

  /** Positions that {@code flash_attn.comp} takes at a time, and invocations. */
  private static final int ATTENTION_GROUP = 128;

  /** Invocations of kernels with {@code include/largest.glsl} for one row. */
  private static final int LARGEST_GROUP = 256;

  private final Graph graph;
  private final Capacity capacity;
  private final Pipelines pipelines;
  private final Resources resources;
  private final Dispatcher dispatcher;
  private final Push push = new Push();
  private final int tokens;
  private final int outputs;

  OpRecorder(
      Graph graph,
      Capacity capacity,
      Pipelines pipelines,
      Resources resources,
      Recording recording,
      int tokens,
      int outputs) {
    this.graph = graph;
    this.capacity = capacity;
    this.pipelines = pipelines;
    this.resources = resources;
    this.tokens = tokens;
    this.outputs = outputs;
    dispatcher = new Dispatcher(recording);
  }

  /** Records every op, then the index of the largest logit of each output. */
  void recordAll(GpuBuffer argmax) {
    graph.ops().forEach(this::record);
    Value logits = graph.logits();
    dispatcher.uses(Set.of(resources.buffer(logits)), Set.of());
    push.clear().addresses(address(logits), argmax.address()).ints(rows(logits), logits.width());
    run(pipelines.get(Kernel.plain("argmax"), LARGEST_GROUP), rows(logits), 1);
  }

  private void record(Op op) {
    Set<Integer> reads = op.inputs().stream().map(resources::buffer).collect(Collectors.toSet());
    Set<Integer> writes = op.outputs().stream().map(resources::buffer).collect(Collectors.toSet());
    switch (op) {
      case Op.StoreKv s -> writes.add(Resources.kv(s.layer()));
      case Op.Attention a -> reads.add(Resources.kv(a.layer()));
      case Op.Embed _,
          Op.RmsNorm _,
          Op.AddRmsNorm _,
          Op.MatMul _,
          Op.GatedMatMul _,
          Op.Gate _,
          Op.Rope _,
          Op.Add _,
          Op.Scale _,
          Op.SoftCap _,
          Op.SelectOutputs _,
          Op.Route _,
          Op.ExpertMatMul _,
          Op.ExpertSum _ -> {}
    }
    if (readsQuantized(op)) {
      quantize(op.inputs().getFirst());
      reads.add(Resources.QUANTIZED);
    }
    dispatcher.uses(reads, writes);
    switch (op) {
      case Op.Embed e -> embed(e);
      case Op.RmsNorm n -> rmsNorm(n.x(), null, n.weight(), null, n.out(), n.eps(), 0);
      case Op.AddRmsNorm n ->
          rmsNorm(n.a(), n.b(), n.weight(), n.sum(), n.out(), n.eps(), n.scale());
      case Op.MatMul m ->
          m.products().forEach(p -> product(m.x(), p.weight(), null, 0, p.bias(), p.out()));
      case Op.GatedMatMul m ->
          product(m.x(), m.gate(), m.up(), 1 + code(m.activation()), null, m.out());
      case Op.Gate g -> elementwise(3 + code(g.activation()), g.gate(), g.up(), g.out(), 0);
      case Op.Rope r -> rope(r);
      case Op.StoreKv s -> {
        store(s.k(), s.layer(), resources.kv.keys(s.layer()));
        store(s.v(), s.layer(), resources.kv.values(s.layer()));
      }
      case Op.Attention a -> attention(a);
      case Op.Add a -> elementwise(0, a.a(), a.b(), a.out(), a.scale());
      case Op.Scale s -> elementwise(1, s.x(), s.x(), s.out(), s.factor());
      case Op.SoftCap s -> elementwise(2, s.x(), s.x(), s.out(), s.cap());
      case Op.SelectOutputs s -> selectOutputs(s);
      case Op.Route r -> route(r);
      case Op.ExpertMatMul m -> expertProduct(m);
      case Op.ExpertSum s -> expertSum(s);
    }
  }

  private boolean readsQuantized(Op op) {
    int n = op.inputs().isEmpty() ? 0 : rows(op.inputs().getFirst());
    return (op instanceof Op.MatMul || op instanceof Op.GatedMatMul)
        && op.weights().stream().anyMatch(w -> usesIntegerDot(w, n));
  }

  private void embed(Op.Embed e) {
    push.clear()
        .addresses(resources.step.tokens(), address(e.out()))
        .addresses(resources.weights.planes(e.table()))
        .ints(e.out().width(), tokens)
        .floats(e.scale());
    run(pipelines.get(Kernel.of("get_rows", e.table().type()), 64), tokens, 1);
  }

  private void rmsNorm(
      Value a,
      @Nullable Value b,
      Weight weight,
      @Nullable Value sum,
      Value out,
      float eps,
      float scale) {
    int groups = rows(a) * (a.width() / weight.cols());
    push.clear()
        .addresses(address(a), address(b), vector(weight), address(sum), address(out))
        .ints(groups, weight.cols())
        .floats(eps, scale);
    run(pipelines.get(Kernel.plain("rms_norm"), Dispatcher.GROUP, b == null ? 0 : 1), groups, 1);
  }

  private void product(
      Value x, Weight weight, @Nullable Weight up, int kind, @Nullable Weight bias, Value out) {
    int n = rows(x);
    int hasBias = bias == null ? 0 : 1;
    if (usesIntegerDot(weight, n)) {
      pushProduct(resources.quantized.quants(), x, weight, up, bias, out, 0, n);
      int together = n <= 2 ? n : 4;
      Kernel kernel = Kernel.of("mul_mat_vec_q", weight.type());
      GpuPipeline pipeline = pipelines.get(kernel, VEC_GROUP, together, kind, hasBias, 0);
      run(pipeline, ceil(weight.rows(), DOT_ROWS), ceil(n, together));
      return;
    }
    pushProduct(address(x), x, weight, up, bias, out, 0, n);
    if (n > MAX_VEC_TOKENS) {
      Kernel kernel = Kernel.of("mul_mat", weight.type());
      GpuPipeline pipeline = pipelines.get(kernel, 256, 1, kind, hasBias, 0);
      run(pipeline, ceil(weight.rows(), TILE), ceil(n, TILE));
    } else if (n > 0) {
      int together = Math.min(VEC_TOKENS, n < 3 ? n : Integer.highestOneBit(2 * n - 1));
      Kernel kernel = Kernel.of("mul_mat_vec", weight.type());
      GpuPipeline pipeline = pipelines.get(kernel, VEC_GROUP, together, kind, hasBias, 0);
      run(pipeline, ceil(weight.rows(), VEC_ROWS), ceil(n, together));
    }
  }

  private void expertProduct(Op.ExpertMatMul m) {
    int k = m.route().width() / 2;
    int n = rows(m.x()) * k;
    pushProduct(address(m.x()), m.x(), m.weight(), null, m.bias(), m.out(), address(m.route()), n);
    Kernel kernel = Kernel.of("mul_mat_vec", m.weight().type());
    GpuPipeline pipeline = pipelines.get(kernel, VEC_GROUP, 1, 0, m.bias() == null ? 0 : 1, k);
    run(pipeline, ceil(m.weight().rows(), VEC_ROWS), n);
  }

  /** Whether products of n rows with {@code weight} take activations as int8. */
  private static boolean usesIntegerDot(Weight weight, int n) {
    return n > 0 && n <= MAX_VEC_TOKENS && Kernel.hasIntegerDot(weight.type());
  }

  /** Quantizes x for the products that follow, unless the last products had the same x. */
  private void quantize(Value x) {
    int blocks = rows(x) * x.width() / 32;
    dispatcher.uses(Set.of(resources.buffer(x)), Set.of(Resources.QUANTIZED));
    push.clear()
        .addresses(address(x), resources.quantized.quants(), resources.quantized.scales())
        .ints(blocks);
    runEach(Kernel.plain("quantize_x"), blocks);
  }

  private void pushProduct(
      long from,
      Value x,
      Weight weight,
      @Nullable Weight up,
      @Nullable Weight bias,
      Value out,
      long route,
      int n) {
    push.clear()
        .addresses(from, address(out), bias == null ? 0 : vector(bias), route)
        .addresses(resources.weights.planes(weight))
        .addresses(resources.weights.planes(up == null ? weight : up))
        .ints(weight.cols(), weight.rows(), n, x.width())
        .addresses(resources.quantized.scales());
  }

  private void elementwise(int mode, Value a, Value b, Value out, float factor) {
    int count = rows(out) * out.width();
    push.clear().addresses(address(a), address(b), address(out)).ints(count).floats(factor);
    runEach(Kernel.plain("elementwise"), count, mode);
  }

  private void rope(Op.Rope r) {
    int width = r.x().width();
    push.clear()
        .addresses(address(r.x()), address(r.out()))
        .addresses(resources.ropes.address(r), resources.step.positions())
        .ints(tokens, width, r.params().headDim(), r.params().dims())
        .floats((float) r.params().magnitude());
    int neox = r.params().layout() == Layout.NEOX ? 1 : 0;
    runEach(Kernel.plain("rope"), (long) tokens * width, neox);
  }

  private void store(Value x, KvLayer layer, KvBuffers.Planes to) {
    boolean q8 = capacity.kvType() == KvType.Q8_0;
    push.clear().addresses(address(x), to.data(), to.scales());
    pushRows(layer);
    push.ints(tokens, x.width());
    long invocations = (long) tokens * x.width() / (q8 ? 32 : 1);
    runEach(Kernel.plain("store_kv"), invocations, q8 ? 1 : 0);
  }

  private void attention(Op.Attention a) {
    KvLayer layer = a.layer();
    KvBuffers.Planes keys = resources.kv.keys(layer);
    KvBuffers.Planes values = resources.kv.values(layer);
    push.clear()
        .addresses(address(a.q()), address(a.out()), a.sinks() == null ? 0 : vector(a.sinks()))
        .addresses(keys.data(), keys.scales(), values.data(), values.scales());
    pushRows(layer);
    push.ints(tokens, a.headCount(), layer.headCountKv(), layer.window())
        .floats(a.scale(), a.softCap());
    GpuPipeline pipeline =
        pipelines.get(
            Kernel.plain("flash_attn"),
            ATTENTION_GROUP,
            capacity.kvType() == KvType.Q8_0 ? 1 : 0,
            layer.keyDim(),
            layer.valueDim(),
            a.sinks() == null ? 0 : 1);
    run(pipeline, (long) tokens * a.headCount(), 1);
  }

  /** {@code StepRows} of {@code include/kv.glsl}. */
  private void pushRows(KvLayer layer) {
    push.addresses(
            resources.step.positions(),
            resources.step.sequences(),
            resources.step.blockTables(graph.kvGroup(layer)))
        .ints(capacity.blocksPerSequence(), capacity.blockTokens());
  }

  private void selectOutputs(Op.SelectOutputs s) {
    push.clear()
        .addresses(address(s.x()), address(s.out()), resources.step.outputRows())
        .ints(outputs, s.x().width());
    runEach(Kernel.plain("select_outputs"), (long) outputs * s.x().width());
  }

  private void route(Op.Route r) {
    push.clear()
        .addresses(address(r.logits()), address(r.out()))
        .ints(rows(r.out()), r.logits().width(), r.k());
    run(pipelines.get(Kernel.plain("route"), LARGEST_GROUP), rows(r.out()), 1);
  }

  private void expertSum(Op.ExpertSum s) {
    int n = rows(s.out());
    push.clear()
        .addresses(address(s.x()), address(s.route()), address(s.out()))
        .ints(n, s.out().width(), s.route().width() / 2);
    runEach(Kernel.plain("expert_sum"), (long) n * s.out().width());
  }

  /** One invocation an element. */
  private void runEach(Kernel kernel, long invocations, int... constants) {
    int[] all = new int[1 + constants.length];
    all[0] = Dispatcher.GROUP;
    System.arraycopy(constants, 0, all, 1, constants.length);
    run(pipelines.get(kernel, all), Dispatcher.groups(invocations), 1);
  }

  private void run(GpuPipeline pipeline, long groups, int y) {
    dispatcher.run(pipeline, push, groups, y);
  }

  private static int ceil(int a, int b) {
    return (a + b - 1) / b;
  }

  /** The number by which {@code include/functions.glsl} knows an activation. */
  private static int code(Activation activation) {
    return switch (activation) {
      case SILU -> 0;
      case GELU_TANH -> 1;
      case SWIGLU_OAI -> 2;
    };
  }

  private long vector(Weight weight) {
    if (weight.type() != DType.F32) {
      throw new IllegalArgumentException(
          "weight '%s' is %s; norms, biases and sinks must be F32 on a Vulkan device"
              .formatted(weight.tensor(), weight.type()));
    }
    return resources.weights.planes(weight)[0];
  }

  private long address(@Nullable Value value) {
    return value == null ? 0 : resources.address(value);
  }

  private int rows(Value value) {
    return switch (value.rows()) {
      case TOKENS -> tokens;
      case OUTPUTS -> outputs;
    };
  }
}
