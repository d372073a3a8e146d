package dev.ridgeline.vulkan;

import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.vulkan.device.DeviceInfo;
import dev.ridgeline.vulkan.device.DeviceInfo.Feature;
import dev.ridgeline.vulkan.device.DeviceInfo.MatrixShape;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Records products of several tokens by cooperative matrices: of {@link #FROM} to {@link
 * #MAX_DECODED} tokens with weights that are decoded on the way, of more with weights that are
 * decoded first.
 */
final class MatrixProducts {
  /**
   * Fewer tokens than this are faster by integer dot products: on an H200, a step of llama-8b
   * Q4_K_M takes 4.0 ms against 4.2 with 4 tokens, 4.9 against 4.2 with 5, 8.1 against 4.5 with 12.
   */
  static final int FROM = 5;

  /** Invocations that make float16 of a row: one run of loads for 4,096 columns. */
  private static final int HALVES_GROUP = 1024;

  /** More tokens than this are faster with weights that are decoded first, once for all of them. */
  static final int MAX_DECODED = 128;

  /** Rows and columns of a tile of {@code mul_mat_matrix.comp}. */
  private static final int MATRIX_ROWS = 128;

  private static final int MATRIX_COLS = 32;

  /** FORM of {@code include/half.glsl}: rows in one term, in two; pieces. */
  private enum Form {
    ROWS(0),
    TWO_TERMS(1),
    PIECES(2);

    /** The number by which the shaders know it. */
    final int code;

    Form(int code) {
      this.code = code;
    }
  }

  private final OpRecorder recorder;
  private final Resources resources;
  private final Scratch scratch;
  private final Dispatcher dispatcher;
  private final DeviceInfo device;
  private final @Nullable MatrixLayout layout;
  private final Push push = new Push();

  private int decodedHalf;

  /** What {@link Scratch#halves} holds, and how. */
  private @Nullable Value halves;

  private Form halvesForm = Form.ROWS;

  MatrixProducts(
      OpRecorder recorder,
      Resources resources,
      Dispatcher dispatcher,
      DeviceInfo device,
      @Nullable MatrixLayout layout) {
    this.recorder = recorder;
    this.resources = resources;
    this.scratch = resources.scratch;
    this.dispatcher = dispatcher;
    this.device = device;
    this.layout = layout;
  }

  /** Whether products of many tokens can use cooperative matrices. */
  static boolean has(DeviceInfo device) {
    MatrixShape shape = device.matrixShape();
    return shape != null
        && device.features().contains(Feature.FLOAT16)
        && device.features().contains(Feature.COOPERATIVE_MATRIX)
        && Kernel.hasMatrix(shape)
        && device.maxSharedBytes() >= 24 << 10;
  }

  /** Whether {@code weight} can be in float16 for them. */
  static boolean fits(Weight weight) {
    return (weight.type().isQuantized() || weight.type() == DType.F16)
        && weight.cols() % MATRIX_COLS == 0;
  }

  /** Whether products of {@code n} tokens with quantized weights decode them on the way. */
  boolean decodes(int n) {
    return decodes(layout, n);
  }

  /** The same on a device with matrices of {@code layout}, null where it has none. */
  static boolean decodes(@Nullable MatrixLayout layout, int n) {
    return layout != null && n >= FROM && n <= MAX_DECODED;
  }

  /**
   * Whether products of {@code n} tokens with weights that {@link #fits} are for {@link #record}.
   */
  boolean takes(int n) {
    return n > Products.MAX_VEC_TOKENS && has(device);
  }

  /** Says that attention left {@code value} as float16 in pieces. */
  void attended(Value value) {
    halves = value;
    halvesForm = Form.PIECES;
  }

  /** Forgets that {@code values}, which are written now, are there as float16. */
  void overwritten(List<Value> values) {
    halves = halves != null && values.contains(halves) ? null : halves;
  }

  /**
   * Records the products of {@code band} with x, which {@code norm} makes, decoding on the way.
   *
   * @param kind 0, or 1 + a if the matrix that follows is gated by activation a of this one
   */
  void recordDecoding(GpuOp.@Nullable Norm norm, Value x, Band band, int kind, int n) {
    Weight weight = band.weight();
    MatrixShape shape = Objects.requireNonNull(device.matrixShape());
    MatrixLayout at = Objects.requireNonNull(layout);
    int matrices = kind > 0 ? 2 : 1;
    DecodeShape by = DecodeShape.of(band.rows() * matrices, shape.m());
    int sums = shape.m() * shape.n() * Float.BYTES;
    int sharers = shape.lanes() * at.rows() / shape.m();
    int wide = by.wide(n, shape.n(), sums, sharers, device.maxSharedBytes());
    toHalves(norm, x, Form.PIECES);
    dispatcher.links(Set.of(Scratch.HALVES), written(band));
    push.clear()
        .addresses(scratch.halves.address(), scratch.powers.address())
        .addresses(resources.weights.planes(weight)[0]);
    pushResults(band);
    push.ints(resources.weights.units(weight))
        .ints(weight.cols(), band.rows(), n, band.rows(0), band.rows(1));
    recorder.run(
        recorder.pipeline(
            Kernel.matrixQ(weight.type(), shape, wide, by),
            by.subgroups() * shape.lanes(),
            kind,
            band.bias() == null ? 0 : 1,
            at.atRow(),
            at.atPair(),
            by.subgroups(),
            by.slices(),
            by.chunk(wide * shape.n(), wide, sums, sharers, device.maxSharedBytes())),
        push,
        (long) Math.ceilDiv(band.rows() * matrices, by.tiles() * shape.m())
            * Math.ceilDiv(n, wide * shape.n()),
        1);
  }

  private void pushResults(Band band) {
    push.addresses(
            recorder.address(band.out(0)),
            recorder.address(band.out(1)),
            recorder.address(band.out(2)))
        .addresses(band.bias() == null ? 0 : recorder.vector(band.bias()));
  }

  /** Sees to it that x is there as float16 in this form. */
  private void toHalves(GpuOp.@Nullable Norm norm, Value x, Form form) {
    if (x.equals(halves) && form == halvesForm) {
      return;
    }
    if (norm != null) {
      recorder.normRows(
          norm, 2, form.code, Scratch.HALVES, scratch.halves.address(), scratch.powers.address());
    } else {
      dispatcher.links(Set.of(resources.buffer(x)), Set.of(Scratch.HALVES));
      int n = recorder.rows(x);
      push.clear()
          .addresses(resources.address(x), scratch.halves.address(), scratch.powers.address())
          .ints(n, x.width());
      int group = Math.min(HALVES_GROUP, device.maxWorkgroupInvocations());
      int parts = form == Form.PIECES ? Math.ceilDiv(x.width() / 4, group) : 1;
      recorder.run(
          recorder.pipeline(Kernel.plain("to_half"), group, form.code, parts), push, n * parts, 1);
    }
    halves = x;
    halvesForm = form;
  }

  /** Records the products of {@code band} with x, which {@code norm} makes. */
  void record(GpuOp.@Nullable Norm norm, Value x, Band band, @Nullable Weight up, int kind, int n) {
    Weight weight = band.weight();
    toHalves(norm, x, weight.type() == DType.F16 ? Form.TWO_TERMS : Form.ROWS);
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
    recorder.runEach(Kernel.of("dequantize", weight.type()), push, 2 * units);
  }

  private void matrixDispatch(
      long weights, Band band, int kind, int n, int first, int count, int up) {
    Weight weight = band.weight();
    push.clear().addresses(weights, scratch.halves.address(), scratch.powers.address());
    pushResults(band);
    push.ints(weight.cols(), count, n, band.rows(0), band.rows(1), band.rows(), first, up);
    boolean gated = kind > 0;
    int hasBias = band.bias() == null ? 0 : 1;
    int split = weight.type() == DType.F16 ? 1 : 0;
    int wide = n > 64 ? 128 : 64;
    int deep = weight.cols() % 64 == 0 && device.maxSharedBytes() >= 40 << 10 ? 64 : 32;
    int stages = deep == 32 && device.maxSharedBytes() >= 48 << 10 ? 2 : 1;
    boolean fours = ((band.rows() | band.rows(0) | band.rows(1) | count) & 3) == 0;
    recorder.run(
        recorder.pipeline(
            Kernel.matrix(Objects.requireNonNull(device.matrixShape()), wide, deep, gated),
            Dispatcher.GROUP,
            kind,
            hasBias,
            split,
            stages,
            fours ? 1 : 0),
        push,
        Math.ceilDiv(count, gated ? MATRIX_ROWS / 2 : MATRIX_ROWS),
        Math.ceilDiv(n, wide));
  }
}
