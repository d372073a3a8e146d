package dev.ridgeline.cpu;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.InputListener;
import dev.ridgeline.backend.Weights;
import dev.ridgeline.cpu.kernel.RowAttention;
import dev.ridgeline.cpu.vector.AttentionKernel;
import dev.ridgeline.cpu.vector.DirectAttention;
import dev.ridgeline.cpu.vector.KvLayout;
import dev.ridgeline.cpu.vector.KvStore;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.KvLayer;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns ops into stages whose every address is fixed. The kernels that run these stages check
 * nothing: this is where types, shapes and lengths are checked, once.
 */
final class Binder {
  private final Graph graph;
  private final Weights weights;
  private final Capacity capacity;
  private final KernelTable kernels;
  private final int threads;
  private final Plan plan;
  private final long activations;
  private final long kv;
  private final long vectors;
  private final List<Stage> stages = new ArrayList<>();

  /** The three segments are as large as {@code plan} says. */
  Binder(
      Graph graph,
      Weights weights,
      Capacity capacity,
      KernelTable kernels,
      int threads,
      Plan plan,
      Memories memories) {
    this.graph = graph;
    this.weights = weights;
    this.capacity = capacity;
    this.kernels = kernels;
    this.threads = threads;
    this.plan = plan;
    this.activations = memories.activations.address();
    this.kv = memories.kv.address();
    this.vectors = memories.vectors.address();
  }

  /** Memory of an executable. */
  record Memories(MemorySegment activations, MemorySegment kv, MemorySegment vectors) {}

  /** The stages of the whole graph; before each product one that shows its input, if asked for. */
  Stage[] bind(@Nullable InputListener listener) {
    plan.vectors()
        .forEach(
            (weight, at) ->
                kernels
                    .decoder(weight.type())
                    .decode(
                        matrix(weight),
                        vectors + at,
                        weight.cols() * weight.rows(),
                        activations + plan.scratchAt(0)));
    plan.rotations().forEach((r, at) -> stages.add(table(r, activations + at)));
    for (Op op : graph.ops()) {
      if (listener != null) {
        listen(op, listener);
      }
      bind(op);
    }
    return stages.toArray(Stage[]::new);
  }

  private void listen(Op op, InputListener listener) {
    boolean product =
        op instanceof Op.MatMul || op instanceof Op.GatedMatMul || op instanceof Op.ExpertMatMul;
    if (product) {
      Value x = op.inputs().getFirst();
      @Nullable Value route = op instanceof Op.ExpertMatMul m ? m.route() : null;
      stages.add(
          new ListenStage(
              listener,
              op,
              address(x),
              x.width(),
              x.rows(),
              route == null ? 0 : address(route),
              route == null ? 0 : route.width()));
    }
  }

  long address(Value value) {
    return activations + plan.valueAt(value);
  }

  private void bind(Op op) {
    switch (op) {
      case Op.Input i ->
          stages.add(
              new RowStages.Receive(
                  activations + plan.inputAt(), i.out().width(), address(i.out())));
      case Op.Embed e -> embed(e);
      case Op.RmsNorm n ->
          stages.add(
              new RowStages.Norm(
                  address(n.x()),
                  n.x().width(),
                  n.x().rows(),
                  vector(n.weight()),
                  n.weight().cols(),
                  n.eps(),
                  address(n.out())));
      case Op.AddRmsNorm n -> addNorm(n);
      case Op.MatMul m -> matMul(m);
      case Op.GatedMatMul m -> gatedMatMul(m);
      case Op.Gate g ->
          stages.add(
              new RowStages.Gate(
                  kernels.gates(),
                  address(g.gate()),
                  address(g.up()),
                  g.activation(),
                  g.out().width(),
                  g.out().rows(),
                  address(g.out())));
      case Op.Rope r -> rope(r);
      case Op.StoreKv s ->
          stages.add(
              new AttentionStages.Store(
                  store(s.layer()),
                  s.layer(),
                  graph.kvGroup(s.layer()),
                  capacity.blockTokens(),
                  address(s.k()),
                  address(s.v())));
      case Op.Attention a -> attention(a);
      case Op.Add a ->
          stages.add(
              new RowStages.Add(
                  address(a.a()),
                  address(a.b()),
                  a.scale(),
                  a.out().width(),
                  a.out().rows(),
                  address(a.out())));
      case Op.Scale s ->
          stages.add(
              new RowStages.Scale(
                  address(s.x()), s.factor(), s.x().width(), s.x().rows(), address(s.out())));
      case Op.SoftCap s ->
          stages.add(
              new RowStages.SoftCap(
                  address(s.x()), s.cap(), s.x().width(), s.x().rows(), address(s.out())));
      case Op.SelectOutputs s ->
          stages.add(new RowStages.Select(address(s.x()), s.x().width(), address(s.out())));
      case Op.Route r ->
          stages.add(
              new ExpertStages.Choose(
                  address(r.logits()),
                  r.logits().width(),
                  r.k(),
                  r.logits().rows(),
                  address(r.out())));
      case Op.ExpertMatMul m -> expertMatMul(m);
      case Op.ExpertSum s ->
          stages.add(
              new ExpertStages.Sum(
                  address(s.x()),
                  address(s.route()),
                  s.route().width() / 2,
                  s.out().width(),
                  s.out().rows(),
                  address(s.out())));
    }
  }

  private void embed(Op.Embed e) {
    stages.add(
        new RowStages.Embed(
            matrix(e.table()),
            rowBytes(e.table()),
            kernels.decoder(e.table().type()),
            e.scale(),
            e.out().width(),
            address(e.out())));
  }

  private void addNorm(Op.AddRmsNorm n) {
    stages.add(
        new RowStages.AddNorm(
            address(n.a()),
            address(n.b()),
            n.scale(),
            n.out().width(),
            n.out().rows(),
            vector(n.weight()),
            n.eps(),
            address(n.sum()),
            address(n.out())));
  }

  private void matMul(Op.MatMul m) {
    Products.Matrix[] matrices =
        m.products().stream()
            .map(p -> product(p.weight(), p.bias(), p.out()))
            .toArray(Products.Matrix[]::new);
    var products = products(m.x(), matrices);
    stages.add(new ProductStages.Pack(products, m.x().rows()));
    stages.add(new ProductStages.Multiply(products, m.x().rows()));
  }

  private void gatedMatMul(Op.GatedMatMul m) {
    var products =
        products(m.x(), product(m.gate(), null, m.out()), product(m.up(), null, m.out()));
    stages.add(new ProductStages.Pack(products, m.x().rows()));
    stages.add(
        new ProductStages.Gated(
            products,
            kernels.gates(),
            m.activation(),
            m.out().width(),
            m.x().rows(),
            address(m.out()),
            plan.kernelScratchBytes()));
  }

  private Products products(Value x, Products.Matrix... matrices) {
    return new Products(address(x), x.width(), activations + plan.sharedAt(), matrices);
  }

  private Products.Matrix product(Weight weight, @Nullable Weight bias, Value out) {
    return new Products.Matrix(
        matrix(weight),
        rowBytes(weight),
        weight.rows(),
        bias == null ? 0 : vector(bias),
        address(out),
        kernels.of(weight.type()));
  }

  private RopeStages.Table table(Plan.Rotation rotation, long address) {
    double[] frequencies = new double[rotation.params().dims() / 2];
    Weight factors = rotation.freqFactors();
    long factorsAt = factors == null ? 0 : vector(factors);
    for (int i = 0; i < frequencies.length; i++) {
      double factor = factors == null ? 1 : dev.ridgeline.cpu.kernel.Memory.f32(factorsAt + 4L * i);
      frequencies[i] = rotation.params().frequency(i, factor);
    }
    return new RopeStages.Table(frequencies, rotation.params().magnitude(), address);
  }

  private void rope(Op.Rope r) {
    Long at = plan.rotations().get(new Plan.Rotation(r));
    if (at == null) {
      throw new IllegalStateException("no rotation table was planned for " + r);
    }
    stages.add(
        new RopeStages.Rotate(
            address(r.x()), r.x().width(), r.params(), activations + at, address(r.out())));
  }

  private KvStore store(KvLayer layer) {
    return new KvStore(plan.layout(layer), kv + plan.kvAt(layer));
  }

  private void attention(Op.Attention a) {
    int group = Plan.headsPerKvHead(a);
    Weight sinks = a.sinks();
    var kernel =
        new AttentionKernel(
            store(a.layer()), group, a.scale(), a.softCap(), sinks == null ? 0 : vector(sinks));
    var cut =
        new AttentionStages.Cut(
            kernel,
            direct(a, sinks == null ? 0 : vector(sinks)),
            a.layer().headCountKv(),
            graph.kvGroup(a.layer()),
            threads,
            address(a.q()),
            address(a.out()),
            activations + plan.sharedAt(),
            AttentionKernel.partialBytes(a.layer(), group));
    stages.add(new AttentionStages.Attend(cut));
    stages.add(new AttentionStages.Merge(cut));
  }

  private @Nullable DirectAttention direct(Op.Attention a, long sinks) {
    KvLayout layout = plan.layout(a.layer());
    RowAttention code =
        DirectAttention.suits(layout, a.softCap())
            ? kernels.rowAttention(a.layer().valueDim())
            : null;
    return code == null
        ? null
        : new DirectAttention(
            code,
            kernels.rows(),
            layout,
            kv + plan.kvAt(a.layer()),
            Plan.headsPerKvHead(a),
            a.scale(),
            sinks);
  }

  private void expertMatMul(Op.ExpertMatMul m) {
    Weight w = m.weight();
    int k = m.route().width() / 2;
    Weight bias = m.bias();
    var product =
        new ExpertStages.Product(
            address(m.x()),
            m.x().width() != w.cols(),
            address(m.route()),
            k,
            m.x().rows(),
            matrix(w),
            rowBytes(w),
            w.experts(),
            w.cols(),
            w.rows(),
            bias == null ? 0 : vector(bias),
            address(m.out()),
            kernels.of(w.type()),
            ExpertStages.Room.at(
                activations + plan.sharedAt(),
                plan.maxRows(m.x()) * k,
                w.experts(),
                w.cols(),
                w.rows()));
    stages.add(new ExpertStages.Sort(product));
    stages.add(new ExpertStages.Gather(product));
    stages.add(new ExpertStages.Multiply(product));
  }

  private static long rowBytes(Weight weight) {
    return weight.type().bytes(weight.cols());
  }

  /** Address of float32 elements: in the file, or decoded beside it. */
  private long vector(Weight weight) {
    Long at = plan.vectors().get(weight);
    return at == null ? matrix(weight) : vectors + at;
  }

  /** Address of the first row, after checking that all rows are there. */
  private long matrix(Weight weight) {
    Tensor tensor = weights.tensor(weight);
    MemorySegment data = tensor.data();
    if (!data.isNative()) {
      throw new IllegalArgumentException(
          "tensor '%s' is on the Java heap; the CPU backend reads weights outside of it"
              .formatted(weight.tensor()));
    }
    return data.address() + weight.firstRow() * tensor.rowBytes();
  }
}
