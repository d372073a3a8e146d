package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.RopeParams.Layout;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.vulkan.device.DeviceInfo;
import dev.ridgeline.vulkan.device.GpuPipeline;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Records the ops of a graph for steps of one shape: op to dispatch. */
final class OpRecorder {
  /** Invocations of kernels with {@code include/largest.glsl} for one row. */
  private static final int LARGEST_GROUP = 256;

  /**
   * Wider rows have twice the invocations for their norm: on an H200, gemma3-27b (5,376) generates
   * 166.5 tok/s instead of 163.7, llama-8b (4,096) loses 0.2 %.
   */
  private static final int NORM_COLS = 4096;

  /** Pieces of a row of logits that are looked through for the largest ones side by side. */
  private static final int TOP_PIECES = 64;

  private final Graph graph;
  private final Capacity capacity;
  private final List<GpuOp> ops;
  private final Pipelines pipelines;
  private final Resources resources;
  private final Dispatcher dispatcher;
  private final Products products;
  private final AttentionRecorder attention;
  private final Push push = new Push();
  private final int tokens;
  private final int outputs;
  private final int wideGroup;

  OpRecorder(
      Graph graph,
      List<GpuOp> ops,
      Capacity capacity,
      Pipelines pipelines,
      Resources resources,
      Dispatcher dispatcher,
      DeviceInfo device,
      StepShape shape) {
    this.graph = graph;
    this.capacity = capacity;
    this.ops = ops;
    this.pipelines = pipelines;
    this.resources = resources;
    tokens = shape.tokens();
    outputs = shape.outputs();
    this.dispatcher = dispatcher;
    wideGroup = Math.min(2 * Dispatcher.GROUP, device.maxWorkgroupInvocations());
    MatrixLayout layout = pipelines.matrixLayout();
    products =
        new Products(
            this,
            resources,
            dispatcher,
            new MatrixProducts(this, resources, dispatcher, device, layout),
            device);
    // RDNA3 holds matrices twice, so that attention's do not fit its registers: no layout there.
    attention =
        new AttentionRecorder(
            this,
            graph,
            shape,
            capacity,
            resources,
            dispatcher,
            layout == null ? null : device.matrixShape());
  }

  /**
   * Records every op, then the index of the largest logit of each output, with {@code top} the list
   * of its largest ones, and with {@code draws} what it draws of these.
   */
  void recordAll(boolean top, boolean draws) {
    for (GpuOp op : ops) {
      dispatcher.begin(op.ops());
      products.overwritten(op.outputs());
      switch (op) {
        case GpuOp.Plain p -> record(p.op());
        case GpuOp.Products p -> products.record(p, isReadAsInt8(p.product().outputs().getFirst()));
        case GpuOp.Attend a -> {
          Value out = a.attention().out();
          products.attended(out, attention.attention(a, wanted(out)));
        }
      }
    }
    dispatcher.begin(List.of());
    if (outputs > 0) {
      argmax();
      if (top) {
        top();
      }
      if (draws) {
        draw();
      }
    }
  }

  /** {@code [outputs]}: what {@code argmax.comp} leaves of each of the parts of a row. */
  private long largestIndexes() {
    return resources.scratch.largest.address() + 4L * outputs * Scratch.LARGEST_PARTS;
  }

  private long topLists() {
    return resources.scratch.largest.address() + Scratch.topAt(capacity);
  }

  private void argmax() {
    Value logits = graph.logits();
    int n = rows(logits);
    long largest = resources.scratch.largest.address();
    for (int round = 0; round < 2; round++) {
      dispatcher.uses(
          Set.of(round == 0 ? resources.buffer(logits) : Scratch.LARGEST),
          round == 0 ? Set.of(Scratch.LARGEST) : Set.of());
      push.clear()
          .addresses(address(logits), largest, largestIndexes())
          .addresses(resources.step.largest(), resources.step.choices(), topLists())
          .ints(logits.width(), Scratch.LARGEST_PARTS, Scratch.TOP_WORDS);
      run(
          pipeline(Kernel.plain("argmax"), LARGEST_GROUP, round),
          push,
          n,
          round == 0 ? Scratch.LARGEST_PARTS : 1,
          1);
    }
  }

  private void top() {
    Value logits = graph.logits();
    dispatcher.uses(Set.of(resources.buffer(logits), Scratch.LARGEST), Set.of(Scratch.LARGEST));
    push.clear()
        .addresses(address(logits), resources.scratch.largest.address(), largestIndexes())
        .addresses(topLists())
        .ints(logits.width(), Scratch.LARGEST_PARTS);
    run(
        pipeline(
            Kernel.plain("top"), Scratch.LARGEST_PARTS, Scratch.TOP_LEAST, Executable.TOP_ROOM),
        push,
        outputs,
        TOP_PIECES,
        1);
  }

  private void draw() {
    dispatcher.uses(Set.of(Scratch.LARGEST), Set.of());
    push.clear().addresses(topLists(), resources.step.draws(), resources.step.choices());
    run(pipeline(Kernel.plain("draw"), Executable.TOP_ROOM, Scratch.TOP_LEAST), push, outputs, 1);
  }

  /** How those who read a result of attention want it. */
  private AttentionRecorder.Form wanted(Value value) {
    if (isReadAsInt8(value)) {
      return AttentionRecorder.Form.INT8;
    }
    return products.takeHalves(rows(value)) && isReadByIntegerProducts(value)
        ? AttentionRecorder.Form.HALVES
        : AttentionRecorder.Form.FLOATS;
  }

  /** Whether only products that take int8 read {@code value} in a step of these many tokens. */
  private boolean isReadAsInt8(Value value) {
    return products.takeInt8(rows(value)) && isReadByIntegerProducts(value);
  }

  /** Whether only products with quantized weights read {@code value}, as it is. */
  private boolean isReadByIntegerProducts(Value value) {
    if (value.equals(graph.logits())) {
      return false;
    }
    boolean read = false;
    for (GpuOp op : ops) {
      if (op.inputs().contains(value)) {
        boolean integer =
            op instanceof GpuOp.Products p
                && p.norm() == null
                && p.product() instanceof Op.MatMul m
                && m.products().stream().allMatch(x -> Lowering.isInteger(x.weight()));
        if (!integer) {
          return false;
        }
        read = true;
      }
    }
    return read;
  }

  private void record(Op op) {
    switch (op) {
      case Op.Attention a -> {
        products.attended(a.out(), attention.attention(a, wanted(a.out())));
        return;
      }
      case Op.StoreKv s -> {
        attention.store(s);
        return;
      }
      case Op.ExpertMatMul m -> {
        products.record(m);
        return;
      }
      default -> {}
    }
    dispatcher.uses(
        op.inputs().stream().map(resources::buffer).collect(Collectors.toSet()),
        op.outputs().stream().map(resources::buffer).collect(Collectors.toSet()));
    switch (op) {
      case Op.Input i -> input(i);
      case Op.Embed e -> embed(e);
      case Op.RmsNorm n -> rmsNorm(n.x(), null, n.weight(), null, n.out(), n.eps(), 0);
      case Op.AddRmsNorm n ->
          rmsNorm(n.a(), n.b(), n.weight(), n.sum(), n.out(), n.eps(), n.scale());
      case Op.Gate g -> elementwise(3 + code(g.activation()), g.gate(), g.up(), g.out(), 0);
      case Op.Rope r -> rope(r);
      case Op.Add a -> elementwise(0, a.a(), a.b(), a.out(), a.scale());
      case Op.Scale s -> elementwise(1, s.x(), s.x(), s.out(), s.factor());
      case Op.SoftCap s -> elementwise(2, s.x(), s.x(), s.out(), s.cap());
      case Op.SelectOutputs s -> selectOutputs(s);
      case Op.Route r -> route(r);
      case Op.ExpertSum s -> expertSum(s);
      case Op.MatMul _, Op.GatedMatMul _, Op.Attention _, Op.StoreKv _, Op.ExpertMatMul _ ->
          throw new IllegalStateException(op.toString());
    }
  }

  private void input(Op.Input i) {
    int count = tokens * i.out().width();
    long rows = resources.input.address();
    push.clear().addresses(rows, rows, address(i.out())).ints(count).floats(1);
    runEach(Kernel.plain("elementwise"), push, count, 1);
  }

  private void embed(Op.Embed e) {
    push.clear()
        .addresses(resources.step.tokens(), resources.step.choicesBefore(), address(e.out()))
        .addresses(resources.weights.planes(e.table()))
        .ints(e.out().width(), tokens, e.table().rows())
        .floats(e.scale());
    run(pipeline(Kernel.of("get_rows", e.table().type()), Dispatcher.GROUP), push, tokens, 1);
  }

  /** The norm of a product that has no kernel to do it on the way. */
  void normAlone(GpuOp.Norm n) {
    Value b = n.b();
    if (b != null && n.post() != null && n.posted() != null) {
      dispatcher.uses(Set.of(resources.buffer(b)), Set.of(resources.buffer(n.posted())));
      rmsNorm(b, null, n.post(), null, n.posted(), n.eps(), 0);
      b = n.posted();
    }
    dispatcher.uses(
        b == null
            ? Set.of(resources.buffer(n.a()))
            : Set.of(resources.buffer(n.a()), resources.buffer(b)),
        n.sum() == null
            ? Set.of(resources.buffer(n.out()))
            : Set.of(resources.buffer(n.out()), resources.buffer(n.sum())));
    rmsNorm(n.a(), b, n.weight(), n.sum(), n.out(), n.eps(), n.scale());
  }

  /** Records a norm whose result only products read, in FORM and HALF of {@code norm_row.comp}. */
  void normRows(GpuOp.Norm norm, int form, int half, int resource, long to, long scales) {
    Set<Integer> reads = new HashSet<>();
    Set<Integer> writes = new HashSet<>(Set.of(resource));
    normUses(norm, reads, writes);
    dispatcher.links(reads, writes);
    int n = rows(norm.a());
    push.clear()
        .addresses(resources.address(norm.a()), address(norm.b()))
        .addresses(vector(norm.weight()), norm.post() == null ? 0 : vector(norm.post()))
        .addresses(address(norm.sum()), to, scales)
        .ints(n)
        .floats(norm.eps(), norm.scale());
    run(
        pipeline(
            Kernel.plain("norm_row"),
            norm.out().width() > NORM_COLS ? wideGroup : Dispatcher.GROUP,
            norm.out().width(),
            norm.mode(),
            form,
            half),
        push,
        n,
        1);
  }

  /** What a norm inside a product reads and writes. */
  void normUses(GpuOp.Norm norm, Set<Integer> reads, Set<Integer> writes) {
    reads.add(resources.buffer(norm.a()));
    if (norm.b() != null) {
      reads.add(resources.buffer(norm.b()));
    }
    if (norm.sum() != null) {
      writes.add(resources.buffer(norm.sum()));
    }
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
    run(pipeline(Kernel.plain("rms_norm"), Dispatcher.GROUP, b == null ? 0 : 1), push, groups, 1);
  }

  private void elementwise(int mode, Value a, Value b, Value out, float factor) {
    int count = rows(out) * out.width();
    push.clear().addresses(address(a), address(b), address(out)).ints(count).floats(factor);
    runEach(Kernel.plain("elementwise"), push, count, mode);
  }

  private void rope(Op.Rope r) {
    int width = r.x().width();
    push.clear()
        .addresses(address(r.x()), address(r.out()))
        .addresses(resources.ropes.address(r), resources.step.positions())
        .ints(tokens, width, r.params().headDim(), r.params().dims())
        .floats((float) r.params().magnitude());
    int neox = r.params().layout() == Layout.NEOX ? 1 : 0;
    runEach(Kernel.plain("rope"), push, (long) tokens * width, neox);
  }

  private void selectOutputs(Op.SelectOutputs s) {
    push.clear()
        .addresses(address(s.x()), address(s.out()), resources.step.outputRows())
        .ints(outputs, s.x().width());
    runEach(Kernel.plain("select_outputs"), push, (long) outputs * s.x().width());
  }

  private void route(Op.Route r) {
    push.clear()
        .addresses(address(r.logits()), address(r.out()))
        .ints(rows(r.out()), r.logits().width(), r.k());
    run(pipeline(Kernel.plain("route"), LARGEST_GROUP), push, rows(r.out()), 1);
  }

  private void expertSum(Op.ExpertSum s) {
    int n = rows(s.out());
    push.clear()
        .addresses(address(s.x()), address(s.route()), address(s.out()))
        .ints(n, s.out().width(), s.route().width() / 2);
    runEach(Kernel.plain("expert_sum"), push, (long) n * s.out().width());
  }

  GpuPipeline pipeline(Kernel kernel, int... constants) {
    return pipelines.get(kernel, constants);
  }

  /** One invocation an element. */
  void runEach(Kernel kernel, Push pushed, long invocations, int... constants) {
    int[] all = new int[1 + constants.length];
    all[0] = Dispatcher.GROUP;
    System.arraycopy(constants, 0, all, 1, constants.length);
    run(pipelines.get(kernel, all), pushed, Dispatcher.groups(invocations), 1);
  }

  /** At least {@code groups * y} workgroups, as {@code workgroup()} of the shaders counts them. */
  void run(GpuPipeline pipeline, Push pushed, long groups, int y) {
    dispatcher.run(pipeline, pushed, groups, y);
  }

  /** Exactly {@code x * y * z} workgroups. */
  void run(GpuPipeline pipeline, Push pushed, int x, int y, int z) {
    dispatcher.run(pipeline, pushed, x, y, z);
  }

  /** The number by which {@code include/functions.glsl} knows an activation. */
  static int code(Activation activation) {
    return switch (activation) {
      case SILU -> 0;
      case GELU_TANH -> 1;
      case SWIGLU_OAI -> 2;
    };
  }

  long vector(Weight weight) {
    if (weight.type() != DType.F32) {
      throw new IllegalArgumentException(
          "weight '%s' is %s; norms, biases and sinks must be F32 on a Vulkan device"
              .formatted(weight.tensor(), weight.type()));
    }
    return resources.weights.planes(weight)[0];
  }

  long address(@Nullable Value value) {
    return value == null ? 0 : resources.address(value);
  }

  int rows(Value value) {
    return switch (value.rows()) {
      case TOKENS -> tokens;
      case OUTPUTS -> outputs;
    };
  }
}
