package dev.ridgeline.reference;

import dev.ridgeline.backend.ActivationPlan;
import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Degradation;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.backend.MemoryPlan;
import dev.ridgeline.backend.Weights;
import dev.ridgeline.graph.Graph;
import java.util.List;

/**
 * Runs graphs in the most obvious scalar code, on the calling thread.
 *
 * <p>Numerics: every value is stored as float32, K and V as the cache's type; everything within an
 * op is computed in double from exactly decoded weights and rounded once, when it is stored. What
 * another backend differs by is therefore that backend's own rounding.
 */
public final class ReferenceBackend implements Backend {
  @Override
  public String name() {
    return "reference";
  }

  @Override
  public String description() {
    return "scalar Java, one thread: correct and slow";
  }

  @Override
  public MemoryPlan plan(Graph graph, Capacity capacity) {
    long activations = new ActivationPlan(graph, capacity).bytes();
    long scratch = Scratch.bytes(graph, capacity);
    return new MemoryPlan(
        MemoryPlan.weightBytes(graph),
        0,
        MemoryPlan.kvBytes(graph, capacity),
        activations + scratch,
        0);
  }

  @Override
  public Executable compile(Graph graph, Weights weights, Capacity capacity) {
    return new ReferenceExecutable(graph, weights, capacity);
  }

  @Override
  public int threads() {
    return 1;
  }

  @Override
  public MachineLimits measureLimits() {
    return ScalarProbe.measure();
  }

  @Override
  public List<Degradation> degradations() {
    // Where 'auto' came down to this backend, the module is why.
    boolean vectors = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    return vectors
        ? List.of(Degradation.SCALAR_FORMAT)
        : List.of(Degradation.NO_VECTOR_MODULE, Degradation.SCALAR_FORMAT);
  }

  @Override
  public void close() {}
}
