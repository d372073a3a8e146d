package dev.ridgeline.vulkan;

import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.vulkan.device.DeviceInfo;
import dev.ridgeline.vulkan.device.DeviceInfo.MatrixShape;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
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

  /** Invocations of the kernels whose workgroups do whole rows of a norm or tiles of a product. */
  private static final int GROUP = 256;

  /** Rows of a workgroup of {@code mul_mat_vec_q.comp} for each row of 32 lanes. */
  private static final int LANE_GROUPS = GROUP / 32;

  /** Tokens of a workgroup that it is compiled for: their sums must fit its registers. */
  private static final int[] TOGETHER = {1, 2, 3, 4, 6, 8, 12, 16};

  /** More workgroups than this do not each make the norm of their input again. */
  private static final int MAX_NORM_GROUPS = 1024;

  /** Rows at a time, and units under way, of a row of lanes: measured on an H200. */
  private static final int ROWS_AT_ONCE = 4;

  private static final int UNITS_AHEAD = 4;

  /** Of {@code mul_mat_vec.comp}: invocations, rows and tokens of a workgroup. */
  private static final int VEC_GROUP = 128;

  private static final int VEC_ROWS = 2;
  private static final int VEC_TOKENS = 8;

  /** Rows and tokens of a workgroup of {@code mul_mat.comp}. */
  private static final int TILE = 64;

  /** Rows and columns of a tile of {@code mul_mat_matrix.comp}. */
  private static final int MATRIX_ROWS = 128;

  private static final int MATRIX_COLS = 32;

  private final OpRecorder recorder;
  private final Resources resources;
  private final Scratch scratch;
  private final Dispatcher dispatcher;
  private final DeviceInfo device;
  private final Push push = new Push();

  private int decodedHalf;

  /** What {@link Scratch#quantized} holds, and {@link Scratch#halves}, in one term or two. */
  private @Nullable Value quantized;

  private @Nullable Value halves;
  private int halfTerms;

  /** Values that only {@link Scratch#gated} holds. */
  private @Nullable Value gated;

  Products(OpRecorder recorder, Resources resources, Dispatcher dispatcher, DeviceInfo device) {
    this.recorder = recorder;
    this.resources = resources;
    this.scratch = resources.scratch;
    this.dispatcher = dispatcher;
    this.device = device;
  }

  /** Whether products of many tokens can use cooperative matrices. */
  static boolean hasMatrices(DeviceInfo device) {
    MatrixShape shape = device.matrixShape();
    return shape != null && Kernel.hasMatrix(shape) && device.maxSharedBytes() >= 24 << 10;
  }

  /** Whether {@code weight} can be in float16 for them. */
  static boolean fitsMatrices(Weight weight) {
    return (weight.type().isQuantized() || weight.type() == DType.F16)
        && weight.rows() > 1
        && weight.cols() % MATRIX_COLS == 0;
  }

  /** Results side by side of matrices that lie one after the other. */
  private record Band(List<Op.Product> products) {
    Weight weight() {
      return products.getFirst().weight();
    }

    int rows() {
      return products.stream().mapToInt(p -> p.weight().rows()).sum();
    }

    /** Rows of result i; 0 where there is none. */
    int rows(int i) {
      return i < products.size() ? products.get(i).weight().rows() : 0;
    }

    @Nullable Value out(int i) {
      return i < products.size() ? products.get(i).out() : null;
    }

    @Nullable Weight bias() {
      return products.getFirst().bias();
    }
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
        if (n <= MAX_VEC_TOKENS && integer) {
          integerProducts(op, bands, n);
        } else {
          otherProducts(op, m.products(), bands, n);
        }
      }
      case Op.GatedMatMul m -> {
        var band = new Band(List.of(new Op.Product(m.gate(), null, m.out())));
        int kind = 1 + OpRecorder.code(m.activation());
        if (n <= MAX_VEC_TOKENS && Lowering.isInteger(m.gate()) && follows(m)) {
          GpuOp.Norm norm = prepareInteger(op, n, ceil(m.gate().rows(), 4 * LANE_GROUPS));
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
    int groups =
        bands.stream()
            .mapToInt(b -> ceil(b.rows(), vecRows(b.rows(), n, op.norm() != null) * LANE_GROUPS))
            .sum();
    GpuOp.Norm norm = prepareInteger(op, n, groups);
    for (Band band : bands) {
      integerProduct(norm, op.x(), band, 0, n, false);
    }
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
    if (n == 1 && groups <= MAX_NORM_GROUPS) {
      return norm;
    }
    normRows(norm, 1, 0, Scratch.QUANTIZED, scratch.quantized.quants(), scratch.quantized.blocks());
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

  /** Says that attention left {@code value} as int8. */
  void isQuantized(Value value) {
    quantized = value;
  }

  /** Forgets that {@code values}, which are written now, are there in other forms. */
  void overwritten(List<Value> values) {
    for (Value value : values) {
      quantized = value.equals(quantized) ? null : quantized;
      gated = value.equals(gated) ? null : gated;
      halves = value.equals(halves) ? null : halves;
    }
  }

  private void normRows(GpuOp.Norm norm, int form, int split, int resource, long to, long scales) {
    Set<Integer> reads = new HashSet<>();
    Set<Integer> writes = new HashSet<>(Set.of(resource));
    normUses(norm, reads, writes);
    dispatcher.uses(reads, writes);
    int n = recorder.rows(norm.a());
    push.clear()
        .addresses(resources.address(norm.a()), recorder.address(norm.b()))
        .addresses(
            recorder.vector(norm.weight()), norm.post() == null ? 0 : recorder.vector(norm.post()))
        .addresses(recorder.address(norm.sum()), to, scales)
        .ints(n)
        .floats(norm.eps(), norm.scale());
    recorder.run(
        recorder.pipeline(
            Kernel.plain("norm_row"), GROUP, norm.out().width(), norm.mode(), form, split),
        push,
        n,
        1);
  }

  private void normUses(GpuOp.Norm norm, Set<Integer> reads, Set<Integer> writes) {
    reads.add(resources.buffer(norm.a()));
    if (norm.b() != null) {
      reads.add(resources.buffer(norm.b()));
    }
    if (norm.sum() != null) {
      writes.add(resources.buffer(norm.sum()));
    }
  }

  /** Rows of 32 lanes: more share the loads of x, fewer make more workgroups of few rows. */
  private static int vecRows(int rows, int n, boolean withNorm) {
    if (n > 2) {
      return rows >= 4096 ? 4 : 2;
    }
    return rows >= 16_384 ? 4 : rows >= (withNorm ? 4096 : 8192) ? 2 : 1;
  }

  /** Rows at a time: their units and sums must leave registers for several workgroups. */
  private static int atOnce(int rows, int kind) {
    return Math.min(rows, kind > 0 ? ROWS_AT_ONCE / 2 : ROWS_AT_ONCE);
  }

  /** Units of each row at a time, so that about four loads are under way. */
  private static int parallel(int rows, int kind, int tokens) {
    int under = atOnce(rows, kind) * (kind > 0 ? 2 : 1);
    return tokens > 1 ? 1 : Math.max(1, UNITS_AHEAD / under);
  }

  private static int sums(int count) {
    return count == 1 ? 1 : Integer.highestOneBit(2 * count - 1);
  }

  private static int together(int n) {
    int each = ceil(n, ceil(n, TOGETHER[TOGETHER.length - 1]));
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
      normUses(norm, reads, writes);
    } else {
      reads.add(fromGated ? Scratch.GATED : Scratch.QUANTIZED);
    }
    band.products().forEach(p -> writes.add(resources.buffer(p.out())));
    if (intoInt8) {
      writes.add(Scratch.GATED);
    }
    dispatcher.uses(reads, writes);
    Weight weight = band.weight();
    push.clear();
    if (norm == null) {
      push.addresses(from.quants(), from.blocks(), 0, 0, 0);
    } else {
      push.addresses(resources.address(norm.a()), recorder.address(norm.b()))
          .addresses(
              recorder.vector(norm.weight()),
              norm.post() == null ? 0 : recorder.vector(norm.post()))
          .addresses(recorder.address(norm.sum()));
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
        .ints(weight.cols(), band.rows(), n, band.rows(0), band.rows(1))
        .floats(norm == null ? 0 : norm.eps(), norm == null ? 0 : norm.scale());
    int rows = kind > 0 ? 4 : vecRows(band.rows(), n, norm != null);
    int tokens = together(n);
    recorder.run(
        recorder.pipeline(
            Kernel.of("mul_mat_vec_q", weight.type()),
            GROUP,
            tokens,
            rows,
            kind,
            band.bias() == null ? 0 : 1,
            0,
            norm == null ? 0 : norm.mode(),
            intoInt8 ? 1 : 0,
            norm == null ? 256 : weight.cols(),
            parallel(rows, kind, tokens),
            atOnce(rows, kind),
            sums(atOnce(rows, kind) * tokens)),
        push,
        ceil(band.rows(), rows * LANE_GROUPS),
        ceil(n, tokens));
    if (intoInt8) {
      gated = band.out(0);
    }
  }

  private void otherProducts(
      GpuOp.Products op, List<Op.Product> products, List<Band> bands, int n) {
    boolean matrices = n > MAX_VEC_TOKENS && hasMatrices(device);
    if (!matrices || !products.stream().allMatch(p -> fitsMatrices(p.weight()))) {
      if (op.norm() != null) {
        recorder.normAlone(op.norm());
      }
      for (Op.Product p : products) {
        if (matrices && fitsMatrices(p.weight())) {
          matrixProduct(null, op.x(), new Band(List.of(p)), null, 0, n);
        } else {
          floatProduct(op.x(), p.weight(), null, 0, p.bias(), p.out(), n);
        }
      }
      return;
    }
    for (Band band : bands) {
      matrixProduct(op.norm(), op.x(), band, null, 0, n);
    }
  }

  private void gatedOtherwise(GpuOp.Products op, Op.GatedMatMul m, Band band, int kind, int n) {
    if (n > MAX_VEC_TOKENS && hasMatrices(device) && fitsMatrices(m.gate())) {
      matrixProduct(op.norm(), m.x(), band, m.up(), kind, n);
      return;
    }
    if (op.norm() != null) {
      recorder.normAlone(op.norm());
    }
    floatProduct(m.x(), m.gate(), m.up(), kind, null, m.out(), n);
  }

  /** Sees to it that x is there as float16 in these many terms. */
  private void toHalves(GpuOp.@Nullable Norm norm, Value x, int terms) {
    if (x.equals(halves) && terms == halfTerms) {
      return;
    }
    if (norm != null) {
      normRows(
          norm, 2, terms - 1, Scratch.HALVES, scratch.halves.address(), scratch.powers.address());
    } else {
      dispatcher.uses(Set.of(resources.buffer(x)), Set.of(Scratch.HALVES));
      int n = recorder.rows(x);
      push.clear()
          .addresses(resources.address(x), scratch.halves.address(), scratch.powers.address())
          .ints(n, x.width());
      recorder.run(recorder.pipeline(Kernel.plain("to_half"), GROUP, terms - 1), push, n, 1);
    }
    halves = x;
    halfTerms = terms;
  }

  private void matrixProduct(
      GpuOp.@Nullable Norm norm, Value x, Band band, @Nullable Weight up, int kind, int n) {
    Weight weight = band.weight();
    int terms = weight.type() == DType.F16 ? 2 : 1;
    toHalves(norm, x, terms);
    if (weight.type() == DType.F16 && (up == null || resources.weights.follows(weight, up))) {
      dispatcher.uses(Set.of(Scratch.HALVES), written(band));
      matrixDispatch(
          resources.weights.planes(weight)[0], band, kind, n, 0, band.rows(), band.rows());
      return;
    }
    int rowBytes = 2 * weight.cols() * (up == null ? 1 : 2);
    int most = Math.toIntExact(scratch.decodedBytes() / rowBytes / MATRIX_ROWS * MATRIX_ROWS);
    for (int first = 0; first < band.rows(); first += most) {
      int count = Math.min(most, band.rows() - first);
      int half = decodedHalf;
      decodedHalf = 1 - decodedHalf;
      dispatcher.uses(Set.of(), Set.of(Scratch.DECODED - half));
      decode(weight, first, count, scratch.decoded(half));
      if (up != null) {
        decode(up, first, count, scratch.decoded(half) + 2L * count * weight.cols());
      }
      Set<Integer> reads = Set.of(Scratch.HALVES, Scratch.DECODED - half);
      dispatcher.uses(reads, written(band));
      matrixDispatch(scratch.decoded(half), band, kind, n, first, count, count);
    }
  }

  private Set<Integer> written(Band band) {
    Set<Integer> writes = new HashSet<>();
    band.products().forEach(p -> writes.add(resources.buffer(p.out())));
    return writes;
  }

  private void decode(Weight weight, int first, int count, long to) {
    if (weight.type() == DType.F16) {
      throw new IllegalStateException("gate and up of F16 lie apart: " + weight);
    }
    int perRow = weight.cols() / weight.type().blockElements();
    long units = (long) count * weight.cols() / 32;
    push.clear()
        .addresses(to, resources.weights.planes(weight)[0])
        .ints(resources.weights.units(weight))
        .ints(first * perRow, Math.toIntExact(units));
    recorder.runEach(Kernel.of("dequantize", weight.type()), push, units);
  }

  private void matrixDispatch(
      long weights, Band band, int kind, int n, int first, int count, int up) {
    Weight weight = band.weight();
    push.clear()
        .addresses(weights, scratch.halves.address(), scratch.powers.address())
        .addresses(
            recorder.address(band.out(0)),
            recorder.address(band.out(1)),
            recorder.address(band.out(2)))
        .addresses(band.bias() == null ? 0 : recorder.vector(band.bias()))
        .ints(weight.cols(), count, n, band.rows(0), band.rows(1), band.rows(), first, up);
    boolean gated = kind > 0;
    int hasBias = band.bias() == null ? 0 : 1;
    int split = weight.type() == DType.F16 ? 1 : 0;
    int wide = n > 64 ? 128 : 64;
    int deep = weight.cols() % 64 == 0 && device.maxSharedBytes() >= 40 << 10 ? 64 : 32;
    int stages = deep == 32 && device.maxSharedBytes() >= 48 << 10 ? 2 : 1;
    recorder.run(
        recorder.pipeline(
            Kernel.matrix(Objects.requireNonNull(device.matrixShape()), wide, deep, gated),
            GROUP,
            kind,
            hasBias,
            split,
            stages),
        push,
        ceil(count, gated ? MATRIX_ROWS / 2 : MATRIX_ROWS),
        ceil(n, wide));
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
          recorder.pipeline(Kernel.of("mul_mat", weight.type()), GROUP, 1, kind, hasBias, 0),
          push,
          ceil(weight.rows(), TILE),
          ceil(n, TILE));
    } else {
      int together = Math.min(VEC_TOKENS, n < 3 ? n : Integer.highestOneBit(2 * n - 1));
      recorder.run(
          recorder.pipeline(
              Kernel.of("mul_mat_vec", weight.type()), VEC_GROUP, together, kind, hasBias, 0),
          push,
          ceil(weight.rows(), VEC_ROWS),
          ceil(n, together));
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
          ceil(weight.rows(), VEC_ROWS),
          n);
      return;
    }
    quantize(m.x());
    dispatcher.uses(
        Set.of(Scratch.QUANTIZED, resources.buffer(m.route())), Set.of(resources.buffer(m.out())));
    push.clear()
        .addresses(
            scratch.quantized.quants(),
            scratch.quantized.blocks(),
            resources.address(m.route()),
            0,
            0)
        .addresses(resources.weights.planes(weight)[0], resources.address(m.out()), 0, 0)
        .addresses(m.bias() == null ? 0 : recorder.vector(m.bias()))
        .ints(resources.weights.units(weight))
        .ints(weight.cols(), weight.rows(), n, weight.rows(), m.x().width())
        .floats(0, 0);
    int rows = vecRows(weight.rows() * k, 1, false);
    recorder.run(
        recorder.pipeline(
            Kernel.of("mul_mat_vec_q", weight.type()),
            GROUP,
            1,
            rows,
            0,
            hasBias,
            k,
            0,
            0,
            256,
            parallel(rows, 0, 1),
            atOnce(rows, 0),
            sums(atOnce(rows, 0))),
        push,
        ceil(weight.rows(), rows * LANE_GROUPS),
        n);
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

  private static int ceil(int a, int b) {
    return (a + b - 1) / b;
  }
}
