package dev.ridgeline.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.PlacedBackend;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.testing.BackendContract;
import dev.ridgeline.testing.TinyModel;
import dev.ridgeline.testing.TwoSequences;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The contract of a model whose two layers, of two KV groups, run on two backends. */
class SplitContractTest extends BackendContract {
  private final Backend split =
      new PlacedBackend(
          new PlacedBackend.Choice(
              List.of(() -> new CpuBackend(new BackendOptions(1, 0))),
              List.of(1.0),
              () -> new CpuBackend(new BackendOptions(2, 0)),
              1,
              false));

  @Override
  protected Backend backend() {
    return split;
  }

  @Override
  protected double relativeTolerance(DType type, int fewestTokens) {
    return 0;
  }

  /** Each part may what a whole model may. */
  @Override
  protected long bytesAStep() {
    return 2 * super.bytesAStep();
  }

  @Test
  void aSplitModelGivesTheBitsOfTheWholeOne() {
    var model = new TinyModel(DType.Q8_0);
    Graph graph = Fusion.fuse(model.graph);
    try (Backend cpu = new CpuBackend(new BackendOptions(2, 0));
        Executable whole = cpu.compile(graph, model.weights(), TwoSequences.CAPACITY);
        Executable parts = split.compile(graph, model.weights(), TwoSequences.CAPACITY)) {
      assertThat(split.places(graph, TwoSequences.CAPACITY)).hasSize(2);
      for (int[] chunk : TwoSequences.chunks()) {
        var expected = TwoSequences.lastRows(whole, chunk[0], chunk[1]);
        assertThat(TwoSequences.lastRows(parts, chunk[0], chunk[1])).isDeepEqualTo(expected);
      }
    }
  }
}
