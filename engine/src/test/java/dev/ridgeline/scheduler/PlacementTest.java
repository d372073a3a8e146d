package dev.ridgeline.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Degradation;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.backend.MemoryPlan;
import dev.ridgeline.backend.Place;
import dev.ridgeline.backend.PlacedBackend;
import dev.ridgeline.backend.Weights;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.GraphBuilder;
import dev.ridgeline.graph.GraphBuilder.AttentionParams;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Where the layers of a model go, on devices of given sizes whose plans are weights and KV. */
class PlacementTest {
  private static final int LAYERS = 10;

  /** Four matrices of 64 by 64 float32, and a norm. */
  private static final long LAYER_BYTES = 4 * 64 * 64 * 4 + 64 * 4;

  /** K and V of a token in a layer, f16. */
  private static final long KV_BYTES = 2 * 64 * 2;

  /** The embedding and the output. */
  private static final long ENDS_BYTES = 2 * 100 * 64 * 4;

  private static final int CONTEXT = 128;
  private static final long PART_BYTES = LAYER_BYTES + CONTEXT * KV_BYTES;
  private static final long LARGE = 1L << 40;

  private final Graph graph = graph();
  private final List<String> opened = new ArrayList<>();

  private static Graph graph() {
    var b = new GraphBuilder();
    Value x = b.embed("embed", new Weight("embed", DType.F32, 64, 100), 1);
    for (int i = 0; i < LAYERS; i++) {
      Value y = b.rmsNorm("norm" + i, x, new Weight("norm" + i, DType.F32, 64, 1), 1e-6f);
      Value q = product(b, y, "q" + i);
      Value k = product(b, y, "k" + i);
      Value v = product(b, y, "v" + i);
      var params = new AttentionParams(1, 1, 64, 64, 0, 1, 0, null);
      Value attended = b.attention("attention" + i, q, k, v, params);
      x = b.add("sum" + i, x, product(b, attended, "o" + i), 1);
    }
    Value last = b.selectOutputs("outputs", x);
    return b.build(b.matMul("head", last, new Weight("head", DType.F32, 64, 100), null));
  }

  private static Value product(GraphBuilder b, Value x, String name) {
    return b.matMul(name, x, new Weight(name, DType.F32, 64, 64), null);
  }

  private record Device(String name, long availableBytes) implements Backend {
    @Override
    public String description() {
      return name;
    }

    @Override
    public MemoryPlan plan(Graph graph, Capacity capacity) {
      return new MemoryPlan(
          MemoryPlan.weightBytes(graph), 0, MemoryPlan.kvBytes(graph, capacity), 0, 0);
    }

    @Override
    public Executable compile(Graph graph, Weights weights, Capacity capacity) {
      throw new UnsupportedOperationException("plans only");
    }

    @Override
    public int threads() {
      return 1;
    }

    @Override
    public MachineLimits measureLimits() {
      return new MachineLimits(name.equals("host") ? 1 : 9, 1);
    }

    @Override
    public List<Degradation> degradations() {
      return List.of();
    }

    @Override
    public void close() {}
  }

  private Supplier<Backend> device(String name, long bytes) {
    return () -> {
      opened.add(name);
      return new Device(name, (long) Math.ceil(bytes / 0.9) + 1);
    };
  }

  private PlacedBackend backend(int layers, boolean spread, long... gpus) {
    var devices = new ArrayList<Supplier<Backend>>();
    var share = new ArrayList<Double>();
    for (int i = 0; i < gpus.length; i++) {
      devices.add(device("gpu" + i, gpus[i]));
      share.add(1.0);
    }
    return new PlacedBackend(
        new PlacedBackend.Choice(devices, share, device("host", LARGE), layers, spread));
  }

  private EnginePlan plan(Backend backend) {
    return plan(graph, backend);
  }

  private static EnginePlan plan(Graph graph, Backend backend) {
    return EnginePlan.of(
        graph,
        CONTEXT,
        backend,
        EngineOptions.builder().context(CONTEXT).parallel(4).batchTokens(16).build());
  }

  private static List<String> layers(EnginePlan plan) {
    return plan.places().stream().map(p -> p.device() + ":" + p.layers()).toList();
  }

  @Test
  void aModelThatFitsOneDeviceIsAllThereAndNothingElseIsOpened() {
    EnginePlan plan = plan(backend(BackendOptions.AUTO_LAYERS, false, LARGE, LARGE));
    assertThat(layers(plan)).containsExactly("gpu0:10");
    assertThat(plan.kvTokens()).isEqualTo(4 * CONTEXT);
    assertThat(opened).containsExactly("gpu0");
  }

  @Test
  void kvGivesWayBeforeLayersLeaveTheDevice() {
    EnginePlan plan =
        plan(backend(BackendOptions.AUTO_LAYERS, false, ENDS_BYTES + LAYERS * PART_BYTES));
    assertThat(layers(plan)).containsExactly("gpu0:10");
    assertThat(plan.kvTokens()).isEqualTo(CONTEXT);
  }

  @Test
  void theFirstDeviceWithRoomForAllIsTaken() {
    assertThat(layers(plan(backend(BackendOptions.AUTO_LAYERS, false, LAYER_BYTES, LARGE))))
        .containsExactly("gpu1:10");
  }

  @Test
  void whatNoDeviceHoldsAloneIsSpreadByTheirSizes() {
    long all = ENDS_BYTES + LAYERS * PART_BYTES;
    List<String> found =
        layers(plan(backend(BackendOptions.AUTO_LAYERS, false, all * 4 / 10, all * 9 / 10)));
    assertThat(found).containsExactly("gpu0:3", "gpu1:7");
  }

  @Test
  void theLastLayersThatFitAreOnTheDeviceAndTheFirstOnTheProcessor() {
    EnginePlan plan =
        plan(backend(BackendOptions.AUTO_LAYERS, false, ENDS_BYTES / 2 + 6 * PART_BYTES));
    assertThat(layers(plan)).containsExactly("host:4", "gpu0:6");
    assertThat(plan.kvTokens()).isEqualTo(CONTEXT);
    assertThat(plan.toString())
        .contains("host: layers 0 to 3 of 10")
        .contains("gpu0: layers 4 to 9 of 10");
    Place host = plan.places().getFirst();
    assertThat(host.memory().weightBytes()).isEqualTo(ENDS_BYTES / 2 + 4 * LAYER_BYTES);
    assertThat(host.memory().kvBytes()).isEqualTo(4 * CONTEXT * KV_BYTES);
  }

  @Test
  void aDeviceThatIsTooSmallForALayerLeavesAllToTheProcessor() {
    assertThat(layers(plan(backend(BackendOptions.AUTO_LAYERS, false, 1000))))
        .containsExactly("host:10");
  }

  @Test
  void layersThatAreAskedForAreWhereTheyWereAskedFor() {
    assertThat(layers(plan(backend(3, false, LARGE)))).containsExactly("host:7", "gpu0:3");
    assertThat(layers(plan(backend(0, false, LARGE)))).containsExactly("host:10");
    assertThat(layers(plan(backend(99, false, LARGE)))).containsExactly("gpu0:10");
    assertThat(layers(plan(backend(BackendOptions.AUTO_LAYERS, true, LARGE, LARGE))))
        .containsExactly("gpu0:5", "gpu1:5");
    assertThat(layers(plan(backend(4, true, LARGE, LARGE))))
        .containsExactly("host:6", "gpu0:2", "gpu1:2");
  }

  @Test
  void aGraphWithoutLayersIsOnOneDeviceWhole() {
    var b = new GraphBuilder();
    Value x = b.selectOutputs("x", b.embed("embed", new Weight("embed", DType.F32, 64, 100), 1));
    Graph op = b.build(product(b, x, "op"));
    for (int layers : new int[] {BackendOptions.AUTO_LAYERS, 99}) {
      assertThat(layers(plan(op, backend(layers, false, LARGE)))).containsExactly("gpu0:0");
    }
    assertThat(layers(plan(op, backend(BackendOptions.AUTO_LAYERS, true, LARGE, LARGE))))
        .containsExactly("gpu1:0");
    assertThat(layers(plan(op, backend(0, false, LARGE)))).containsExactly("host:0");
  }

  @Test
  void aLayerMovesToTheDeviceThatStillHasRoom() {
    long rest = ENDS_BYTES / 2;
    assertThat(
            layers(
                plan(
                    backend(
                        BackendOptions.AUTO_LAYERS,
                        false,
                        rest + 5 * PART_BYTES - 10,
                        rest + 6 * PART_BYTES))))
        .containsExactly("gpu0:4", "gpu1:6");
  }

  @Test
  void layersThatAreAskedForAndDoNotFitAreRefusedWithTheArithmetic() {
    assertThatThrownBy(() -> plan(backend(9, false, ENDS_BYTES + 2 * PART_BYTES)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("does not fit: gpu0: layers 1 to 9 of 10: weights")
        .hasMessageContaining("--gpu-layers");
  }

  @Test
  void theLimitOfASplitIsWhatItsPartsTakeOneByOne() {
    PlacedBackend backend = backend(5, false, LARGE);
    assertThat(layers(plan(backend))).containsExactly("host:5", "gpu0:5");
    // half of the bytes at 1 a second, half at 9: 1 / (0.5 + 0.5 / 9) = 1.8
    assertThat(backend.measureLimits().readBytesPerSecond())
        .isCloseTo(1.8, org.assertj.core.data.Offset.offset(1e-9));
    assertThat(backend.name()).isEqualTo("host+gpu0");
  }
}
