package dev.ridgeline.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Degradation;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.backend.MemoryPlan;
import dev.ridgeline.backend.Weights;
import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.KvLayer;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.RopeParams;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Tensor;
import dev.ridgeline.testing.OpCase;
import dev.ridgeline.testing.OpCases;
import dev.ridgeline.testing.OpParity;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The list of op cases itself: it runs, and its tolerances notice wrong kernels. */
class OpCasesTest {
  @ParameterizedTest
  @MethodSource("dev.ridgeline.testing.OpCases#all")
  void theReferenceAgreesWithItself(OpCase c) {
    try (var reference = new ReferenceBackend()) {
      OpParity.check(c, reference);
    }
  }

  @Test
  void namesAreUnique() {
    assertThat(OpCases.all().map(OpCase::name)).doesNotHaveDuplicates();
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("misreadings")
  void misreadWeightsAreNoticed(DType type, String how, UnaryOperator<byte[]> misread) {
    var mutant =
        new Mutant(UnaryOperator.identity(), t -> t.name().equals("w") ? misread(t, misread) : t);
    String prefix = "matmul " + type.name().toLowerCase(Locale.ROOT) + " ";
    assertThat(OpCases.all().filter(c -> c.name().startsWith(prefix)).anyMatch(mutant::isNoticed))
        .isTrue();
  }

  /** What a kernel gets wrong when it gets a little wrong, done to every block of the weights. */
  static Stream<Arguments> misreadings() {
    return Stream.of(DType.values())
        .filter(DType::isQuantized)
        .flatMap(
            type -> {
              int mid = type.blockBytes() / 2;
              return Stream.of(
                  Arguments.of(type, "two bytes exchanged", swap(mid, mid + 1)),
                  Arguments.of(type, "nibbles of a byte exchanged", nibbles(mid)),
                  Arguments.of(type, "last byte of its integers ignored", zero(lastInteger(type))),
                  Arguments.of(type, "scale 2 % too large", scaleUp(type)));
            });
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wrongOps")
  void wrongOpsAreNoticed(String cases, String how, UnaryOperator<Op> wrong) {
    var mutant = new Mutant(wrong, UnaryOperator.identity());
    assertThat(OpCases.all().filter(c -> c.name().startsWith(cases)).anyMatch(mutant::isNoticed))
        .as(how)
        .isTrue();
  }

  static Stream<Arguments> wrongOps() {
    return Stream.of(
        wrong(
            "embed",
            "scale",
            op ->
                op instanceof Op.Embed e && e.out().name().equals("out")
                    ? new Op.Embed(e.table(), e.scale() * 1.00001f, e.out())
                    : op),
        wrong(
            "rms norm",
            "epsilon",
            op ->
                op instanceof Op.RmsNorm n
                    ? new Op.RmsNorm(n.x(), n.weight(), n.eps() * 1.1f, n.out())
                    : op),
        wrong(
            "add + rms norm",
            "sum",
            op ->
                op instanceof Op.AddRmsNorm n
                    ? new Op.AddRmsNorm(
                        n.a(), n.b(), n.scale() + 1e-5f, n.weight(), n.eps(), n.sum(), n.out())
                    : op),
        wrong(
            "gate gelu",
            "activation",
            op ->
                op instanceof Op.Gate g
                    ? new Op.Gate(g.gate(), g.up(), Activation.SILU, g.out())
                    : op),
        wrong(
            "gated matmul silu q4_0",
            "activation",
            op ->
                op instanceof Op.GatedMatMul g
                    ? new Op.GatedMatMul(g.x(), g.gate(), g.up(), Activation.GELU_TANH, g.out())
                    : op),
        wrong(
            "gated matmul silu q6_k",
            "gate and up exchanged",
            op ->
                op instanceof Op.GatedMatMul g
                    ? new Op.GatedMatMul(g.x(), g.up(), g.gate(), g.activation(), g.out())
                    : op),
        wrong(
            "soft cap",
            "cap",
            op ->
                op instanceof Op.SoftCap s
                    ? new Op.SoftCap(s.x(), s.cap() * 1.0001f, s.out())
                    : op),
        wrong(
            "rope norm 64",
            "layout",
            op ->
                op instanceof Op.Rope r
                    ? new Op.Rope(r.x(), layout(r.params()), r.freqFactors(), r.out())
                    : op),
        wrong(
            "rope norm 64 with factors",
            "no factors",
            op -> op instanceof Op.Rope r ? new Op.Rope(r.x(), r.params(), null, r.out()) : op),
        wrong(
            "attention window 4",
            "window of 3",
            op ->
                op instanceof Op.Attention a
                    ? attention(a, window(a.layer(), 3), a.softCap(), a.scale(), true)
                    : op),
        wrong(
            "attention window 37 q8_0",
            "window of 36",
            op ->
                op instanceof Op.Attention a
                    ? attention(a, window(a.layer(), 36), a.softCap(), a.scale(), true)
                    : op),
        wrong(
            "attention soft cap",
            "no cap",
            op -> op instanceof Op.Attention a ? attention(a, a.layer(), 0, a.scale(), true) : op),
        wrong(
            "attention sinks",
            "no sinks",
            op ->
                op instanceof Op.Attention a
                    ? attention(a, a.layer(), a.softCap(), a.scale(), false)
                    : op),
        wrong(
            "attention 8x64 over 2 q8_0",
            "scale",
            op ->
                op instanceof Op.Attention a
                    ? attention(a, a.layer(), a.softCap(), a.scale() * 1.01f, true)
                    : op),
        wrong(
            "route",
            "one expert fewer softmaxed",
            op ->
                op instanceof Op.Route r && r.k() > 1
                    ? new Op.Route(r.logits(), r.k() - 1, r.routing(), r.out())
                    : op));
  }

  private static Arguments wrong(String cases, String how, UnaryOperator<Op> op) {
    return Arguments.of(cases, how, op);
  }

  private static RopeParams layout(RopeParams p) {
    return RopeParams.plain(RopeParams.Layout.NEOX, p.headDim(), p.dims(), p.freqBase());
  }

  private static KvLayer window(KvLayer l, int window) {
    return new KvLayer(l.layer(), l.headCountKv(), l.keyDim(), l.valueDim(), window);
  }

  private static Op.Attention attention(
      Op.Attention a, KvLayer layer, float softCap, float scale, boolean sinks) {
    return new Op.Attention(
        a.q(), layer, a.headCount(), scale, softCap, sinks ? a.sinks() : null, a.out());
  }

  private static UnaryOperator<byte[]> swap(int i, int j) {
    return block -> {
      byte b = block[i];
      block[i] = block[j];
      block[j] = b;
      return block;
    };
  }

  private static UnaryOperator<byte[]> nibbles(int i) {
    return block -> {
      block[i] = (byte) (block[i] << 4 | (block[i] & 0xFF) >> 4);
      return block;
    };
  }

  private static UnaryOperator<byte[]> zero(int i) {
    return block -> {
      block[i] = 0;
      return block;
    };
  }

  private static UnaryOperator<byte[]> scaleUp(DType type) {
    return block -> {
      if (type == DType.MXFP4) {
        block[0]++;
        return block;
      }
      int at = scaleAt(type);
      MemorySegment s = MemorySegment.ofArray(block);
      float scale = Float.float16ToFloat(s.get(ValueLayout.JAVA_SHORT_UNALIGNED, at));
      s.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16(scale * 1.02f));
      return block;
    };
  }

  private static int scaleAt(DType type) {
    return switch (type) {
      case Q2_K -> 80;
      case Q3_K -> 108;
      case Q6_K -> 208;
      default -> 0;
    };
  }

  private static int lastInteger(DType type) {
    return switch (type) {
      case Q2_K -> 79;
      case Q3_K -> 95;
      case Q6_K -> 191;
      default -> type.blockBytes() - 1;
    };
  }

  private static Tensor misread(Tensor t, UnaryOperator<byte[]> misread) {
    byte[] bytes = t.data().toArray(ValueLayout.JAVA_BYTE);
    int size = t.type().blockBytes();
    byte[] block = new byte[size];
    for (int at = 0; at < bytes.length; at += size) {
      System.arraycopy(bytes, at, block, 0, size);
      System.arraycopy(misread.apply(block), 0, bytes, at, size);
    }
    return new Tensor(t.name(), t.type(), t.shape(), MemorySegment.ofArray(bytes));
  }

  /** The reference with something wrong. */
  private record Mutant(UnaryOperator<Op> op, UnaryOperator<Tensor> tensor) implements Backend {
    boolean isNoticed(OpCase c) {
      try {
        OpParity.check(c, this);
        return false;
      } catch (AssertionError e) {
        return true;
      }
    }

    @Override
    public String name() {
      return "mutant";
    }

    @Override
    public String description() {
      return "the reference with something wrong";
    }

    @Override
    public MemoryPlan plan(Graph graph, Capacity capacity) {
      return new ReferenceBackend().plan(graph, capacity);
    }

    @Override
    public Executable compile(Graph g, Weights weights, Capacity capacity) {
      var ops = g.ops().stream().map(op).toList();
      var wrong = new Graph(ops, g.values(), g.kvLayers(), g.logits());
      return new ReferenceBackend()
          .compile(wrong, name -> tensor.apply(weights.tensor(name)), capacity);
    }

    @Override
    public int threads() {
      return 1;
    }

    @Override
    public MachineLimits measureLimits() {
      throw new UnsupportedOperationException("a mutant is not measured");
    }

    @Override
    public List<Degradation> degradations() {
      return List.of();
    }

    @Override
    public void close() {}
  }
}
