package dev.ridgeline.vulkan;

import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.vulkan.device.DeviceInfo;
import dev.ridgeline.vulkan.device.DeviceInfo.Kind;
import dev.ridgeline.vulkan.device.GpuPipeline;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Records products, by one of three ways: for up to {@link #MAX_VEC_TOKENS} tokens a matrix-vector
 * kernel (integer dot products for quantized weights, float32 for others), for more cooperative
 * matrices where the device has them, else float32 tiles.
 */
final class Products {
  /** More tokens than this are a matrix-matrix product. */
  static final int MAX_VEC_TOKENS = 32;

  /** Tokens of a workgroup that it is compiled for: their sums must fit its registers. */
  private static final int[] TOGETHER = {1, 2, 3, 4, 6, 8};

  /** Columns from which a lane may have three units of a row, and room for fewer tokens. */
  private static final int LONG_ROW = 1 << 14;

  /** More workgroups than this do not each make the norm of their input again. */
  private static final int MAX_NORM_GROUPS = 1024;

  /** Of {@code mul_mat_vec.comp}: invocations, rows and tokens of a workgroup. */
  private static final int VEC_GROUP = 128;

  private static final int VEC_ROWS = 2;
  private static final int VEC_TOKENS = 8;

  /** Rows and tokens of a workgroup of {@code mul_mat.comp}. */
  private static final int TILE = 64;

  private final OpRecorder recorder;
  private final Resources resources;
  private final Scratch scratch;
  private final Dispatcher dispatcher;
  private final MatrixProducts matrices;
  private final DeviceInfo device;
  private final Push push = new Push();

  /** What {@link Scratch#quantized} holds. */
  private @Nullable Value quantized;

  /** Values that only {@link Scratch#gated} holds. */
  private @Nullable Value gated;

  Products(
      OpRecorder recorder,
      Resources resources,
      Dispatcher dispatcher,
      MatrixProducts matrices,
      DeviceInfo device) {
    this.recorder = recorder;
    this.resources = resources;
    this.scratch = resources.scratch;
    this.dispatcher = dispatcher;
    this.matrices = matrices;
    this.device = device;
  }

  private List<Band> bands(List<Op.Product> products) {
    var bands = new ArrayList<Band>();
    List<Op.Product> run = new ArrayList<>();
    for (Op.Product p : products) {
      if (!run.isEmpty() && (run.size() == 3 || !joins(run.getLast(), p))) {
        bands.add(new Band(List.copyOf(run)));
        run.clear();
      }
      run.add(p);
    }
    bands.add(new Band(List.copyOf(run)));
    return bands;
  }

  private boolean joins(Op.Product last, Op.Product next) {
    boolean biases =
        last.bias() == null
            ? next.bias() == null
            : next.bias() != null && resources.weights.follows(last.bias(), next.bias());
    return biases && resources.weights.follows(last.weight(), next.weight());
  }

  /** Records a product with the norm before it; {@code intoInt8}: its result is wanted as int8. */
  void record(GpuOp.Products op, boolean intoInt8) {
    int n = recorder.rows(op.x());
    if (n == 0) {
      return;
    }
    switch (op.product()) {
      case Op.MatMul m -> {
        boolean integer = m.products().stream().allMatch(p -> Lowering.isInteger(p.weight()));
        List<Band> bands = bands(m.products());
        if (integer && matrices.decodes(n)) {
          bands.forEach(band -> matrices.recordDecoding(op.norm(), op.x(), band, 0, n));
        } else if (integer && n <= MAX_VEC_TOKENS) {
          integerProducts(op, bands, n);
        } else {
          otherProducts(op, m.products(), bands, n);
        }
      }
      case Op.GatedMatMul m -> {
        var band = new Band(List.of(new Op.Product(m.gate(), null, m.out())));
        int kind = 1 + OpRecorder.code(m.activation());
        boolean integer = Lowering.isInteger(m.gate()) && follows(m);
        if (integer && matrices.decodes(n)) {
          matrices.recordDecoding(op.norm(), m.x(), band, kind, n);
        } else if (integer && n <= MAX_VEC_TOKENS) {
          GpuOp.Norm norm = prepareInteger(op, n, groups(band, 2, n));
          integerProduct(norm, m.x(), band, kind, n, intoInt8 && m.gate().rows() % 32 == 0);
        } else {
          gatedOtherwise(op, m, band, kind, n);
        }
      }
      default -> throw new IllegalArgumentException(op.toString());
    }
  }

  private boolean follows(Op.GatedMatMul m) {
    return resources.weights.follows(m.gate(), m.up());
  }

  private void integerProducts(GpuOp.Products op, List<Band> bands, int n) {
    int groups = bands.stream().mapToInt(b -> groups(b, 1, n)).sum();
    GpuOp.Norm norm = prepareInteger(op, n, groups);
    for (Band band : bands) {
      integerProduct(norm, op.x(), band, 0, n, false);
    }
  }

  private VecShape shape(int cols, int rows, int matrices, int tokens) {
    // Where a workgroup has to fit the registers of one compute unit, compilers for AMD spill.
    boolean many = device.kind() == Kind.SOFTWARE || device.isNvidia();
    int invocations = device.maxWorkgroupInvocations();
    int most = many ? invocations : Math.min(Dispatcher.GROUP, invocations);
    return VecShape.of(cols, rows, matrices, tokens, most, many ? 8 : 4);
  }

  private int groups(Band band, int matrices, int n) {
    VecShape shape =
        shape(band.weight().cols(), band.rows(), matrices, together(n, band.weight().cols()));
    return Math.ceilDiv(band.rows(), shape.tall());
  }

  /**
   * Sees to it that x is there as int8, unless the products make it themselves by the norm that
   * this returns.
   */
  private GpuOp.@Nullable Norm prepareInteger(GpuOp.Products op, int n, int groups) {
    GpuOp.Norm norm = op.norm();
    if (norm == null) {
      quantize(op.x());
      return null;
    }
    if (n == 1 && groups <= MAX_NORM_GROUPS && norm.post() == null) {
      return norm;
    }
    recorder.normRows(
        norm, 1, 0, Scratch.QUANTIZED, scratch.quantized.quants(), scratch.quantized.blocks());
    quantized = norm.out();
    return null;
  }

  /** Quantizes x, unless that was the last thing quantized. */
  private void quantize(Value x) {
    if (x.equals(quantized) || x.equals(gated)) {
      return;
    }
    long runs = (long) recorder.rows(x) * x.width() / 4;
    dispatcher.uses(Set.of(resources.buffer(x)), Set.of(Scratch.QUANTIZED));
    push.clear()
        .addresses(resources.address(x), scratch.quantized.quants(), scratch.quantized.blocks())
        .ints(Math.toIntExact(runs));
    recorder.runEach(Kernel.plain("quantize_x"), push, runs);
    quantized = x;
  }

  /** Whether products of n tokens with quantized weights take int8. */
  boolean takeInt8(int n) {
    return n <= MAX_VEC_TOKENS && !matrices.decodes(n);
  }

  /** Says that attention left {@code value} as int8. */
  void isQuantized(Value value) {
    quantized = value;
  }

  /** Forgets that {@code values}, which are written now, are there in other forms. */
  void overwritten(List<Value> values) {
    matrices.overwritten(values);
    for (Value value : values) {
      quantized = value.equals(quantized) ? null : quantized;
      gated = value.equals(gated) ? null : gated;
    }
  }

  private static int sums(int count) {
    return count == 1 ? 1 : Integer.highestOneBit(2 * count - 1);
  }

  private static int together(int n, int cols) {
    int each =
        Math.ceilDiv(n, Math.ceilDiv(n, cols > LONG_ROW ? 4 : TOGETHER[TOGETHER.length - 1]));
    for (int t : TOGETHER) {
      if (t >= each) {
        return t;
      }
    }
    throw new IllegalArgumentException(n + " tokens");
  }

  private void integerProduct(
      GpuOp.@Nullable Norm norm, Value x, Band band, int kind, int n, boolean intoInt8) {
    Set<Integer> reads = new HashSet<>();
    Set<Integer> writes = new HashSet<>();
    boolean fromGated = x.equals(gated);
    QuantizedX from = fromGated ? scratch.gated : scratch.quantized;
    if (norm != null) {
      recorder.normUses(norm, reads, writes);
    } else {
      reads.add(fromGated ? Scratch.GATED : Scratch.QUANTIZED);
    }
    band.products().forEach(p -> writes.add(resources.buffer(p.out())));
    if (intoInt8) {
      writes.add(Scratch.GATED);
    }
    dispatcher.links(reads, writes);
    Weight weight = band.weight();
    push.clear();
    if (norm == null) {
      push.addresses(from.quants(), from.blocks(), 0, 0);
    } else {
      push.addresses(resources.address(norm.a()), recorder.address(norm.b()))
          .addresses(recorder.vector(norm.weight()), recorder.address(norm.sum()));
    }
    push.addresses(resources.weights.planes(weight)[0]);
    if (intoInt8) {
      push.addresses(scratch.gated.quants(), scratch.gated.blocks(), 0);
    } else {
      push.addresses(
          recorder.address(band.out(0)),
          recorder.address(band.out(1)),
          recorder.address(band.out(2)));
    }
    push.addresses(band.bias() == null ? 0 : recorder.vector(band.bias()))
        .ints(resources.weights.units(weight))
        .ints(band.rows(), n, band.rows(0), band.rows(1))
        .floats(norm == null ? 0 : norm.eps(), norm == null ? 0 : norm.scale());
    int tokens = together(n, weight.cols());
    VecShape shape = shape(weight.cols(), band.rows(), kind > 0 ? 2 : 1, tokens);
    int hasBias = band.bias() == null ? 0 : 1;
    recorder.run(
        vecPipeline(
            weight, shape, tokens, kind, hasBias, 0, norm == null ? 0 : norm.mode(), intoInt8),
        push,
        Math.ceilDiv(band.rows(), shape.tall()),
        Math.ceilDiv(n, tokens));
    if (intoInt8) {
      gated = band.out(0);
    }
  }

  private void otherProducts(
      GpuOp.Products op, List<Op.Product> products, List<Band> bands, int n) {
    boolean takes = matrices.takes(n);
    if (!takes || !products.stream().allMatch(p -> MatrixProducts.fits(p.weight()))) {
      if (op.norm() != null) {
        recorder.normAlone(op.norm());
      }
      for (Op.Product p : products) {
        if (takes && MatrixProducts.fits(p.weight())) {
          matrices.record(null, op.x(), new Band(List.of(p)), null, 0, n);
        } else {
          floatProduct(op.x(), p.weight(), null, 0, p.bias(), p.out(), n);
        }
      }
      return;
    }
    for (Band band : bands) {
      matrices.record(op.norm(), op.x(), band, null, 0, n);
    }
  }

  private void gatedOtherwise(GpuOp.Products op, Op.GatedMatMul m, Band band, int kind, int n) {
    if (matrices.takes(n) && MatrixProducts.fits(m.gate())) {
      matrices.record(op.norm(), m.x(), band, m.up(), kind, n);
      return;
    }
    if (op.norm() != null) {
      recorder.normAlone(op.norm());
    }
    floatProduct(m.x(), m.gate(), m.up(), kind, null, m.out(), n);
  }

  private void floatProduct(
      Value x,
      Weight weight,
      @Nullable Weight up,
      int kind,
      @Nullable Weight bias,
      Value out,
      int n) {
    dispatcher.uses(Set.of(resources.buffer(x)), Set.of(resources.buffer(out)));
    pushFloat(x, weight, up, bias, out, 0, n);
    int hasBias = bias == null ? 0 : 1;
    if (n > MAX_VEC_TOKENS || weight.type().isQuantized()) {
      recorder.run(
          recorder.pipeline(
              Kernel.of("mul_mat", weight.type()), Dispatcher.GROUP, 1, kind, hasBias, 0),
          push,
          Math.ceilDiv(weight.rows(), TILE),
          Math.ceilDiv(n, TILE));
    } else {
      int together = Math.min(VEC_TOKENS, n < 3 ? n : Integer.highestOneBit(2 * n - 1));
      recorder.run(
          recorder.pipeline(
              Kernel.of("mul_mat_vec", weight.type()), VEC_GROUP, together, kind, hasBias, 0),
          push,
          Math.ceilDiv(weight.rows(), VEC_ROWS),
          Math.ceilDiv(n, together));
    }
  }

  /** Records products of experts: pairs of token and expert one by one. */
  void record(Op.ExpertMatMul m) {
    int k = m.route().width() / 2;
    int n = recorder.rows(m.x()) * k;
    if (n == 0) {
      return;
    }
    Weight weight = m.weight();
    int hasBias = m.bias() == null ? 0 : 1;
    if (!Lowering.isInteger(weight) || m.x().width() % 32 != 0) {
      dispatcher.uses(
          Set.of(resources.buffer(m.x()), resources.buffer(m.route())),
          Set.of(resources.buffer(m.out())));
      pushFloat(m.x(), weight, null, m.bias(), m.out(), resources.address(m.route()), n);
      recorder.run(
          recorder.pipeline(Kernel.of("mul_mat_vec", weight.type()), VEC_GROUP, 1, 0, hasBias, k),
          push,
          Math.ceilDiv(weight.rows(), VEC_ROWS),
          n);
      return;
    }
    quantize(m.x());
    dispatcher.usesUnlinked(
        Set.of(Scratch.QUANTIZED, resources.buffer(m.route())), Set.of(resources.buffer(m.out())));
    push.clear()
        .addresses(
            scratch.quantized.quants(), scratch.quantized.blocks(), resources.address(m.route()), 0)
        .addresses(resources.weights.planes(weight)[0], resources.address(m.out()), 0, 0)
        .addresses(m.bias() == null ? 0 : recorder.vector(m.bias()))
        .ints(resources.weights.units(weight))
        .ints(weight.rows(), n, weight.rows(), m.x().width())
        .floats(0, 0);
    VecShape shape = shape(weight.cols(), weight.rows(), 1, 1);
    recorder.run(
        vecPipeline(weight, shape, 1, 0, hasBias, k, 0, false),
        push,
        Math.ceilDiv(weight.rows(), shape.tall()),
        n);
  }

  private GpuPipeline vecPipeline(
      Weight weight,
      VecShape shape,
      int tokens,
      int kind,
      int hasBias,
      int experts,
      int norm,
      boolean intoInt8) {
    return recorder.pipeline(
        Kernel.of("mul_mat_vec_q", weight.type()),
        shape.invocations(),
        tokens,
        shape.rows(),
        kind,
        hasBias,
        experts,
        norm,
        intoInt8 ? 1 : 0,
        weight.cols(),
        shape.slices(),
        shape.sets(),
        shape.atOnce(),
        sums(shape.atOnce() * tokens));
  }

  private void pushFloat(
      Value x,
      Weight weight,
      @Nullable Weight up,
      @Nullable Weight bias,
      Value out,
      long route,
      int n) {
    push.clear()
        .addresses(resources.address(x), resources.address(out))
        .addresses(bias == null ? 0 : recorder.vector(bias), route)
        .addresses(resources.weights.planes(weight))
        .addresses(resources.weights.planes(up == null ? weight : up))
        .ints(weight.cols(), weight.rows(), n, x.width());
  }
}
