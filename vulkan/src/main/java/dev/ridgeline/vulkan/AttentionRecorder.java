package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.KvLayer;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.RopeParams.Layout;
import dev.ridgeline.graph.Value;
import dev.ridgeline.vulkan.device.DeviceInfo.MatrixShape;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Records attention, and how K and V come into the cache. */
final class AttentionRecorder {
  /**
   * Parts into which the positions of a row are cut at most; {@code PARTS} of the shader. On an
   * H200, llama-8b at depth 4,096 runs at 396 tok/s with 16, 387 with 12, 365 with 32, 357 with 8.
   */
  static final int PARTS = 16;

  /** Elements of heads that are made inside attention: what fits its shared memory. */
  private static final int MAX_MERGED_DIM = 256;

  /** Positions of a part, at least. */
  static final int LEAST_PART = 64;

  /**
   * The same in steps whose rows fill a device without many parts: those that {@link
   * MatrixProducts} decodes for, so that sums of a row differ no more than by its products. On an
   * H200, llama-8b, 12 sequences at depth 200: 3,416 tok/s with 256, 3,237 with 128, 3,159 with 64;
   * one sequence at depth 500: 482, 513, 533.
   */
  static final int LONG_PART = 256;

  /** {@code true}: heads have a kernel of their own in every step; to compare. */
  static final String APART = "ridgeline.vulkan.headsApart";

  /** Heads of a workgroup that share loads of K and V: their q must fit its registers. */
  private static final int MAX_SHARED_ELEMENTS = 512;

  /** Subgroups of a workgroup of {@code attend_matrix.comp}. */
  private static final int MATRIX_SUBGROUPS = 4;

  /** How a result of attention is there, and only so: {@code FORM} of {@code attend.comp}. */
  enum Form {
    /** float32, in the value's own memory. */
    FLOATS(0),
    /** {@link Scratch#quantized}. */
    INT8(1),
    /** {@link Scratch#halves}, in pieces. */
    HALVES(2);

    /** The number by which the shader knows it. */
    final int code;

    Form(int code) {
      this.code = code;
    }
  }

  private final OpRecorder recorder;
  private final Graph graph;
  private final StepShape shape;
  private final Capacity capacity;
  private final Resources resources;
  private final Dispatcher dispatcher;
  private final @Nullable MatrixShape matrices;
  private final Push push = new Push();
  private final boolean apart = Boolean.getBoolean(APART);
  private final int q8;

  /** With {@code matrices}, prompts use {@code attend_matrix.comp}. */
  AttentionRecorder(
      OpRecorder recorder,
      Graph graph,
      StepShape shape,
      Capacity capacity,
      Resources resources,
      Dispatcher dispatcher,
      @Nullable MatrixShape matrices) {
    this.recorder = recorder;
    this.graph = graph;
    this.shape = shape;
    this.capacity = capacity;
    this.resources = resources;
    this.dispatcher = dispatcher;
    this.matrices = matrices;
    q8 = capacity.kvType() == KvType.Q8_0 ? 1 : 0;
  }

  /** A power of two no smaller than the parts of a row that sees {@code positions}. */
  static int parts(int positions, int leastPart) {
    int parts = 1;
    while (parts < PARTS && parts * leastPart < positions) {
      parts *= 2;
    }
    return parts;
  }

  /** Rows of a tile of {@code attend_tile.comp}: what fits 32 KB of shared memory. */
  static int tileQueries(int keyDim) {
    return keyDim <= 128 ? 32 : 16;
  }

  /** Norms of heads, rotations, K and V into their slots. */
  private void heads(GpuOp.Heads h) {
    int n = recorder.rows(h.q());
    if (n == 0) {
      return;
    }
    KvLayer layer = h.layer();
    KvBuffers.Planes keys = resources.kv.keys(layer);
    KvBuffers.Planes values = resources.kv.values(layer);
    dispatcher.links(
        Set.of(resources.buffer(h.q()), resources.buffer(h.k()), resources.buffer(h.v())),
        Set.of(resources.buffer(h.out()), Resources.kv(layer)));
    int heads = h.q().width() / layer.keyDim();
    push.clear()
        .addresses(resources.address(h.q()), resources.address(h.k()), resources.address(h.v()))
        .addresses(h.qNorm() == null ? 0 : recorder.vector(h.qNorm()))
        .addresses(h.kNorm() == null ? 0 : recorder.vector(h.kNorm()))
        .addresses(resources.address(h.out()), resources.ropes.address(h.rope()))
        .addresses(keys.data(), values.data());
    pushRows(push, layer);
    push.ints(n, keys.scaleUnits(), values.scaleUnits());
    recorder.run(
        recorder.pipeline(
            Kernel.plain("heads"),
            Dispatcher.GROUP,
            q8,
            layer.keyDim(),
            layer.valueDim(),
            h.params().layout() == Layout.NEOX ? 1 : 0,
            h.params().dims(),
            h.qNorm() == null ? 0 : 1,
            h.kNorm() == null ? 0 : 1,
            heads,
            layer.headCountKv(),
            Float.floatToRawIntBits(h.eps()),
            Float.floatToRawIntBits((float) h.params().magnitude())),
        push,
        ((long) n * (heads + 2L * layer.headCountKv()) + 7) / 8,
        1);
  }

  /** K and V into their slots. */
  void store(Op.StoreKv s) {
    dispatcher.uses(
        Set.of(resources.buffer(s.k()), resources.buffer(s.v())), Set.of(Resources.kv(s.layer())));
    store(s.k(), s.layer(), resources.kv.keys(s.layer()));
    store(s.v(), s.layer(), resources.kv.values(s.layer()));
  }

  private void store(Value x, KvLayer layer, KvBuffers.Planes to) {
    int n = recorder.rows(x);
    push.clear().addresses(resources.address(x), to.data(), to.scales());
    pushRows(push, layer);
    push.ints(n, x.width());
    long invocations = (long) n * x.width() / (q8 > 0 ? 32 : 1);
    recorder.runEach(Kernel.plain("store_kv"), push, invocations, q8);
  }

  /**
   * {@link #attention(Op.Attention, Form)} with the heads before it, together where they can be.
   */
  Form attention(GpuOp.Attend op, Form wanted) {
    if (merges(op.heads())) {
      return fewTokens(op.attention(), op.heads(), wanted);
    }
    heads(op.heads());
    return attention(op.attention(), wanted);
  }

  private boolean merges(GpuOp.Heads h) {
    int dim = Math.max(h.layer().keyDim(), h.layer().valueDim());
    boolean blocks = q8 == 0 || (h.layer().keyDim() | h.layer().valueDim()) % 32 == 0;
    return shape.ownTokens() > 0 && dim <= MAX_MERGED_DIM && blocks && !apart;
  }

  /** Attention; returns how the result is there: as {@code wanted} or in float32. */
  Form attention(Op.Attention a, Form wanted) {
    int n = recorder.rows(a.q());
    if (shape.byTiles()) {
      check(a.layer());
      tiles(a);
      return Form.FLOATS;
    }
    return n == 0 ? Form.FLOATS : fewTokens(a, null, wanted);
  }

  private static void check(KvLayer layer) {
    if (layer.keyDim() % 8 != 0 || layer.valueDim() % 8 != 0 || layer.keyDim() > 512) {
      throw new IllegalArgumentException(
          "attention with heads of %d and %d elements; the Vulkan kernels take multiples of 8 up to 512"
              .formatted(layer.keyDim(), layer.valueDim()));
    }
  }

  private Form fewTokens(Op.Attention a, GpuOp.@Nullable Heads h, Form wanted) {
    KvLayer layer = a.layer();
    check(layer);
    int n = recorder.rows(a.q());
    Form form = wanted == Form.INT8 && layer.valueDim() % 32 != 0 ? Form.FLOATS : wanted;
    int shared = sharedHeads(a);
    Set<Integer> reads = new HashSet<>(Set.of(resources.buffer(h == null ? a.q() : h.q())));
    reads.add(Resources.kv(layer));
    Set<Integer> writes = new HashSet<>(Set.of(resources.buffer(a.out()), Scratch.PARTIALS));
    if (form != Form.FLOATS) {
      writes.add(form == Form.INT8 ? Scratch.QUANTIZED : Scratch.HALVES);
    }
    if (h != null) {
      reads.addAll(Set.of(resources.buffer(h.k()), resources.buffer(h.v())));
      writes.add(Resources.kv(layer));
    }
    dispatcher.links(reads, writes);
    pushFewTokens(a, h, form);
    recorder.run(
        recorder.pipeline(Kernel.plain("attend"), constants(a, h, shared, form)),
        push,
        a.headCount() / shared,
        n,
        layer.window() == 0
            ? shape.parts()
            : Math.min(shape.parts(), parts(layer.window(), shape.leastPart())));
    return form;
  }

  private void pushFewTokens(Op.Attention a, GpuOp.@Nullable Heads h, Form form) {
    KvLayer layer = a.layer();
    KvBuffers.Planes keys = resources.kv.keys(layer);
    KvBuffers.Planes values = resources.kv.values(layer);
    Scratch scratch = resources.scratch;
    StepBuffer step = resources.step;
    push.clear();
    if (h == null) {
      push.addresses(resources.address(a.q()), 0, 0, 0, 0, 0);
    } else {
      push.addresses(resources.address(h.q()), resources.address(h.k()), resources.address(h.v()))
          .addresses(h.qNorm() == null ? 0 : recorder.vector(h.qNorm()))
          .addresses(h.kNorm() == null ? 0 : recorder.vector(h.kNorm()))
          .addresses(resources.ropes.address(h.rope()));
    }
    switch (form) {
      case FLOATS -> push.addresses(resources.address(a.out()), 0);
      case INT8 -> push.addresses(scratch.quantized.quants(), scratch.quantized.blocks());
      case HALVES -> push.addresses(scratch.halves.address(), scratch.powers.address());
    }
    push.addresses(a.sinks() == null ? 0 : recorder.vector(a.sinks()))
        .addresses(keys.data(), values.data())
        .ints(keys.scaleUnits(), values.scaleUnits())
        .addresses(scratch.partials.address(), step.positions())
        .ints((int) ((step.blockTables(graph.kvGroup(layer)) - step.positions()) / Integer.BYTES));
  }

  private int[] constants(Op.Attention a, GpuOp.@Nullable Heads h, int shared, Form form) {
    KvLayer layer = a.layer();
    int[] ofHeads =
        h == null
            ? new int[7]
            : new int[] {
              shape.ownTokens(),
              h.params().layout() == Layout.NEOX ? 1 : 0,
              h.params().dims(),
              h.qNorm() == null ? 0 : 1,
              h.kNorm() == null ? 0 : 1,
              Float.floatToRawIntBits(h.eps()),
              Float.floatToRawIntBits((float) h.params().magnitude())
            };
    return IntStream.concat(
            IntStream.of(
                Dispatcher.GROUP,
                q8,
                layer.keyDim(),
                layer.valueDim(),
                a.sinks() == null ? 0 : 1,
                shared,
                form.code,
                PARTS,
                a.headCount(),
                layer.headCountKv(),
                layer.window(),
                Float.floatToRawIntBits(a.scale()),
                Float.floatToRawIntBits(a.softCap()),
                resources.scratch.countersAt(),
                capacity.maxTokens(),
                capacity.blocksPerSequence(),
                capacity.blockTokens()),
            IntStream.concat(IntStream.of(ofHeads), IntStream.of(shape.leastPart())))
        .toArray();
  }

  /** Query heads of a workgroup: a divisor of those that share a KV head. */
  private static int sharedHeads(Op.Attention a) {
    int group = a.headCount() / a.layer().headCountKv();
    int dim = Math.max(a.layer().keyDim(), a.layer().valueDim());
    for (int heads = group; heads > 1; heads--) {
      if (group % heads == 0 && heads * dim <= MAX_SHARED_ELEMENTS) {
        return heads;
      }
    }
    return 1;
  }

  /** Of the cooperative matrices that can do a prompt's attention over {@code layer}, or null. */
  private @Nullable MatrixShape matrixShape(KvLayer layer) {
    return q8 == 0 && layer.keyDim() == layer.valueDim() && Kernel.attendsMatrix(layer.keyDim())
        ? matrices
        : null;
  }

  private void tiles(Op.Attention a) {
    KvLayer layer = a.layer();
    KvBuffers.Planes keys = resources.kv.keys(layer);
    KvBuffers.Planes values = resources.kv.values(layer);
    MatrixShape shape = matrixShape(layer);
    int queries =
        shape != null
            ? MATRIX_SUBGROUPS * shape.m()
            : tileQueries(Math.max(layer.keyDim(), layer.valueDim()));
    dispatcher.uses(
        Set.of(resources.buffer(a.q()), Resources.kv(layer)), Set.of(resources.buffer(a.out())));
    push.clear()
        .addresses(resources.address(a.q()), resources.address(a.out()))
        .addresses(a.sinks() == null ? 0 : recorder.vector(a.sinks()))
        .addresses(resources.step.tiles(queries), keys.data(), values.data())
        .ints(keys.scaleUnits(), values.scaleUnits());
    pushRows(push, layer);
    push.ints(a.headCount(), layer.headCountKv(), layer.window()).floats(a.scale(), a.softCap());
    int sinks = a.sinks() == null ? 0 : 1;
    recorder.run(
        shape != null
            ? recorder.pipeline(
                Kernel.attendMatrix(shape, layer.keyDim()), MATRIX_SUBGROUPS * shape.lanes(), sinks)
            : recorder.pipeline(
                Kernel.plain("attend_tile"),
                Dispatcher.GROUP,
                q8,
                layer.keyDim(),
                layer.valueDim(),
                sinks,
                queries,
                queries),
        push,
        a.headCount(),
        StepBuffer.tiles(capacity, recorder.rows(a.q()), queries));
  }

  /** {@code StepRows} of {@code include/kv.glsl}. */
  private void pushRows(Push to, KvLayer layer) {
    to.addresses(
            resources.step.positions(),
            resources.step.sequences(),
            resources.step.blockTables(graph.kvGroup(layer)))
        .ints(capacity.blocksPerSequence(), capacity.blockTokens());
  }
}
