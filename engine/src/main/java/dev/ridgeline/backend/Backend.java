package dev.ridgeline.backend;

import dev.ridgeline.graph.Graph;
import java.util.List;

/** Something that can run graphs: scalar reference, CPU vectors, a GPU. */
public interface Backend extends AutoCloseable {
  /** {@code "reference"}, {@code "cpu"}, {@code "vulkan"}. */
  String name();

  /** One line for people: the device, its width or driver, the threads. */
  String description();

  /** A few words for people: which device. */
  default String device() {
    return name();
  }

  /** What {@link #compile} would allocate, without allocating any of it. */
  MemoryPlan plan(Graph graph, Capacity capacity);

  /** The same device by device, in the order in which they compute. */
  default List<Place> places(Graph graph, Capacity capacity) {
    return List.of(
        new Place(
            device(),
            0,
            graph.kvLayers().size(),
            graph.kvLayers().size(),
            plan(graph, capacity),
            availableBytes(),
            Place.Kind.HOST));
  }

  /**
   * Allocates everything the graph will ever need at this capacity and binds the weights. The
   * weights' memory must stay valid until the executable is closed.
   */
  Executable compile(Graph graph, Weights weights, Capacity capacity);

  /**
   * As above, and {@code listener} is shown the inputs of all products.
   *
   * @throws IllegalArgumentException if this backend cannot show them
   */
  default Executable compile(
      Graph graph, Weights weights, Capacity capacity, InputListener listener) {
    throw new IllegalArgumentException(
        "backend '%s' cannot show what goes into products; use --backend cpu".formatted(name()));
  }

  /** Whether all executables read the weights where they are, so that another one costs none. */
  default boolean readsWeightsInPlace() {
    return true;
  }

  /** Memory that {@link #compile} could still take. */
  default long availableBytes() {
    return HostMemory.availableBytes();
  }

  /** Threads that compute; 1 for a device that is not made of this process's threads. */
  int threads();

  /** Measures what the device can do at most, now, in about a second; nothing else may run. */
  MachineLimits measureLimits();

  /** What makes it slower than it could be, as far as is known without trying; takes no time. */
  List<Degradation> degradations();

  /** The same, where it shows only by trying for a second or so; nothing else may run. */
  default List<Degradation> selfTest() {
    return List.of();
  }

  @Override
  void close();
}
