package dev.ridgeline.lab;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.FileExecutable;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.MemoryPlan;
import dev.ridgeline.backend.Place;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.graph.Cost;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.model.Model;
import java.util.Collections;
import java.util.List;

/**
 * A model compiled for one sequence, with the driver that runs it and the arithmetic of what it
 * must cost. The file stays open as long as it is.
 */
public final class LoadedModel implements AutoCloseable {
  private static final int BLOCK_TOKENS = 32;

  private final Graph graph;
  private final Executable executable;
  private final StepDriver driver;
  private final MemoryPlan memory;
  private final KvType kvType;

  /**
   * Room for one sequence.
   *
   * @param context positions it may reach
   * @param batch tokens of a prompt in one step, at most
   * @param outputs rows of logits in one step, at most
   * @param kvType element type of K and V
   */
  public record Room(int context, int batch, int outputs, KvType kvType) {
    /** Room for {@code context} tokens with one row of logits a step. */
    public static Room of(int context, int batch, KvType kvType) {
      return new Room(context, Math.min(batch, context), 1, kvType);
    }

    Capacity capacity(Graph graph) {
      int blocks = Math.ceilDiv(context, BLOCK_TOKENS);
      int groups = graph.kvGroups().size();
      return new Capacity(
          batch, outputs, 1, context, BLOCK_TOKENS, Collections.nCopies(groups, blocks), kvType);
    }
  }

  /**
   * Compiles {@code model} of {@code file} on {@code backend}.
   *
   * @throws IllegalArgumentException with the arithmetic, if it cannot fit; nothing is allocated
   */
  public LoadedModel(GgufFile file, Model model, Backend backend, Room room) {
    graph = Fusion.fuse(model.graph());
    kvType = room.kvType();
    Capacity capacity = room.capacity(graph);
    List<Place> places = backend.places(graph, capacity);
    requireFits(places, room.context());
    memory = places.stream().map(Place::memory).reduce(MemoryPlan.NONE, MemoryPlan::plus);
    executable = FileExecutable.of(file, () -> backend.compile(graph, file::tensor, capacity));
    driver = new StepDriver(graph, executable);
  }

  /**
   * Refuses what its devices have no room for.
   *
   * @param kvTokens for which there is KV
   */
  public static void requireFits(List<Place> places, int kvTokens) {
    for (Place place : places) {
      if (!place.fits()) {
        throw new IllegalArgumentException(
            "the model does not fit: %s, of which a tenth stays free. Use fewer tokens, the KV type q8_0 or a smaller model"
                .formatted(place.describe(kvTokens)));
      }
    }
  }

  /** What loading would take, without loading. */
  public static MemoryPlan plan(Model model, Backend backend, Room room) {
    Graph graph = Fusion.fuse(model.graph());
    return backend.plan(graph, room.capacity(graph));
  }

  /** The same device by device. */
  public static List<Place> places(Model model, Backend backend, Room room) {
    Graph graph = Fusion.fuse(model.graph());
    return backend.places(graph, room.capacity(graph));
  }

  /** Runs its steps. */
  public StepDriver driver() {
    return driver;
  }

  /** The compiled graph: logits are read from here. */
  public Executable executable() {
    return executable;
  }

  /** Bytes it took, by lifetime. */
  public MemoryPlan memory() {
    return memory;
  }

  /** What a prompt of {@code count} tokens must cost when {@code depth} are in the KV cache. */
  public Cost promptCost(int count, int depth) {
    Cost cost = Cost.ZERO;
    for (int done = 0; done < count; ) {
      int now = Math.min(count - done, executable.capacity().maxTokens());
      // Only the last step of a prompt computes logits.
      cost = cost.plus(stepCost(now, done + now == count ? 1 : 0, depth + done));
      done += now;
    }
    return cost;
  }

  /** What generating {@code count} tokens must cost when {@code depth} are in the KV cache. */
  public Cost generateCost(int count, int depth) {
    Cost cost = Cost.ZERO;
    for (int i = 0; i < count; i++) {
      cost = cost.plus(stepCost(1, 1, depth + i));
    }
    return cost;
  }

  private Cost stepCost(int tokens, int outputs, int depth) {
    return Cost.of(graph, new Cost.Workload(1, tokens, outputs, depth, kvType.type()));
  }

  @Override
  public void close() {
    executable.close();
  }
}
