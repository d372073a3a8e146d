package dev.ridgeline.backend;

import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.KvLayer;
import dev.ridgeline.graph.LayerSplit;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Runs a graph where it fits: on the first device that has room for all of it, else over all
 * devices, layer by layer, else the first layers on the processor and the rest on devices, else on
 * the processor alone. What {@link #places} found for a graph and a capacity is what {@link
 * #compile} does for them.
 */
public final class PlacedBackend implements Backend {
  /**
   * What may be used.
   *
   * @param devices in the order in which they are filled; each opened when it is first needed
   * @param share of its free memory that each may take: less than all if it is listed twice
   * @param host runs what no device has room for
   * @param layers that devices run, the last ones of the graph; {@link BackendOptions#AUTO_LAYERS}:
   *     as many as fit
   * @param spread whether every device gets layers, also where one would do
   */
  public record Choice(
      List<Supplier<Backend>> devices,
      List<Double> share,
      Supplier<Backend> host,
      int layers,
      boolean spread) {
    /** Rejects a choice without devices. */
    public Choice {
      devices = List.copyOf(devices);
      share = List.copyOf(share);
      if (devices.isEmpty() || devices.size() != share.size()) {
        throw new IllegalArgumentException(
            "%d devices, %d shares".formatted(devices.size(), share.size()));
      }
    }
  }

  /** A backend with what it may take. */
  private record Slot(Backend backend, long availableBytes) {}

  private record Part(Slot slot, Place place, Capacity capacity) {}

  private record Placement(List<KvLayer> layers, Capacity capacity, List<Part> parts) {
    boolean fits() {
      return parts.stream().allMatch(p -> p.place.fits());
    }
  }

  private final Choice choice;
  private final @Nullable Backend[] opened;
  private @Nullable Placement last;

  /** Opens the first device. */
  public PlacedBackend(Choice choice) {
    this.choice = choice;
    opened = new Backend[choice.devices.size() + 1];
    device(0);
  }

  private Backend device(int index) {
    Backend backend = opened[index];
    if (backend == null) {
      backend = index < choice.devices.size() ? choice.devices.get(index).get() : choice.host.get();
      opened[index] = backend;
    }
    return backend;
  }

  private Backend host() {
    return device(choice.devices.size());
  }

  /** Those that the last placement uses, else the first device. */
  private Set<Backend> used() {
    Placement placement = last;
    return placement == null
        ? Set.of(device(0))
        : placement.parts.stream()
            .map(p -> p.slot.backend)
            .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  @Override
  public String name() {
    return used().stream().map(Backend::name).distinct().collect(Collectors.joining("+"));
  }

  @Override
  public String device() {
    return used().stream().map(Backend::device).collect(Collectors.joining(" + "));
  }

  @Override
  public String description() {
    Placement placement = last;
    if (placement == null || placement.parts.size() == 1) {
      return used().iterator().next().description();
    }
    return placement.parts.stream()
        .map(
            p ->
                "layers %d to %d: %s"
                    .formatted(
                        p.place.firstLayer(),
                        p.place.firstLayer() + p.place.layers() - 1,
                        p.slot.backend.description()))
        .collect(Collectors.joining("; "));
  }

  @Override
  public List<Place> places(Graph graph, Capacity capacity) {
    return placement(graph, capacity).parts.stream().map(Part::place).toList();
  }

  @Override
  public MemoryPlan plan(Graph graph, Capacity capacity) {
    return places(graph, capacity).stream()
        .map(Place::memory)
        .reduce(MemoryPlan.NONE, MemoryPlan::plus);
  }

  @Override
  public Executable compile(Graph graph, Weights weights, Capacity capacity) {
    Placement placement = last;
    if (placement == null
        || !placement.capacity.equals(capacity)
        || !placement.layers.equals(graph.kvLayers())) {
      placement = placement(graph, capacity);
    }
    List<Part> parts = placement.parts;
    if (parts.size() == 1) {
      return parts.getFirst().slot.backend.compile(graph, weights, capacity);
    }
    List<Graph> graphs =
        LayerSplit.split(graph, parts.stream().map(p -> p.place.layers()).toList());
    var executables = new ArrayList<Executable>();
    boolean done = false;
    try {
      for (int i = 0; i < graphs.size(); i++) {
        Part part = parts.get(i);
        executables.add(part.slot.backend.compile(graphs.get(i), weights, part.capacity));
      }
      var split = new SplitExecutable(graph, capacity, graphs, executables);
      done = true;
      return split;
    } finally {
      if (!done) {
        executables.forEach(Executable::close);
      }
    }
  }

  private Placement placement(Graph graph, Capacity capacity) {
    Placement found = find(graph, capacity);
    last = found;
    return found;
  }

  private Placement find(Graph graph, Capacity capacity) {
    int all = graph.kvLayers().size();
    boolean auto = choice.layers == BackendOptions.AUTO_LAYERS;
    int wanted = auto ? all : Math.min(choice.layers, all);
    if (choice.layers == 0) {
      return onHost(graph, capacity);
    }
    if (!choice.spread) {
      for (int i = 0; i < choice.devices.size(); i++) {
        Placement alone = place(graph, capacity, wanted, List.of(slot(i)));
        if (alone.fits() || (choice.devices.size() == 1 && !auto)) {
          return alone;
        }
      }
    }
    List<Slot> slots = IntStream.range(0, choice.devices.size()).mapToObj(this::slot).toList();
    Placement together = place(graph, capacity, wanted, slots);
    if (!auto || together.fits()) {
      return together;
    }
    int fitting = mostLayers(graph, capacity, slots);
    return fitting == 0 ? onHost(graph, capacity) : place(graph, capacity, fitting, slots);
  }

  private Slot slot(int index) {
    Backend backend = device(index);
    double share = choice.share.get(index);
    return new Slot(backend, (long) (share * backend.availableBytes()));
  }

  /** The largest number of last layers that fit on {@code slots}; more layers never take less. */
  private int mostLayers(Graph graph, Capacity capacity, List<Slot> slots) {
    int fits = 0;
    int tooMany = graph.kvLayers().size();
    while (tooMany - fits > 1) {
      int middle = (fits + tooMany) / 2;
      List<Part> parts = place(graph, capacity, middle, slots).parts;
      boolean fit = parts.stream().skip(1).allMatch(p -> p.place.fits()); // the first is the host's
      fits = fit ? middle : fits;
      tooMany = fit ? tooMany : middle;
    }
    return fits;
  }

  private Placement onHost(Graph graph, Capacity capacity) {
    return place(
        graph,
        capacity,
        List.of(new Slot(host(), host().availableBytes())),
        List.of(graph.kvLayers().size()));
  }

  /** The last {@code onDevices} layers on {@code slots}, those before on the processor. */
  private Placement place(Graph graph, Capacity capacity, int onDevices, List<Slot> slots) {
    int onHost = graph.kvLayers().size() - onDevices;
    var used = new ArrayList<Slot>();
    var layers = new ArrayList<Integer>();
    if (onHost > 0) {
      used.add(new Slot(host(), host().availableBytes()));
      layers.add(onHost);
    }
    double all = slots.stream().mapToLong(Slot::availableBytes).sum();
    double before = 0;
    int placed = 0;
    for (Slot slot : slots) {
      before += slot.availableBytes;
      int end = slot == slots.getLast() ? onDevices : (int) Math.round(onDevices * before / all);
      // A graph without layers, as benchmarks of single ops have, is the last slot's.
      if (end > placed || (used.isEmpty() && slot == slots.getLast())) {
        used.add(slot);
        layers.add(end - placed);
        placed = end;
      }
    }
    Placement placement = place(graph, capacity, used, layers);
    for (int moves = 0; moves < onDevices && move(placement, layers, onHost > 0 ? 1 : 0); moves++) {
      placement = place(graph, capacity, used, layers);
    }
    return placement;
  }

  /**
   * Moves a layer from a device that is too full to one beside it that has room; whether it did.
   */
  private static boolean move(Placement placement, List<Integer> layers, int firstDevice) {
    List<Part> parts = placement.parts;
    for (int i = firstDevice; i < parts.size(); i++) {
      for (int to : new int[] {i + 1, i - 1}) {
        boolean can = to >= firstDevice && to < parts.size() && layers.get(i) > 1;
        if (can && !parts.get(i).place.fits() && parts.get(to).place.fits()) {
          layers.set(i, layers.get(i) - 1);
          layers.set(to, layers.get(to) + 1);
          return true;
        }
      }
    }
    return false;
  }

  private Placement place(Graph graph, Capacity whole, List<Slot> slots, List<Integer> layers) {
    List<Graph> graphs = LayerSplit.split(graph, layers);
    var parts = new ArrayList<Part>();
    int first = 0;
    for (int i = 0; i < graphs.size(); i++) {
      Slot slot = slots.get(i);
      Graph part = graphs.get(i);
      Capacity capacity = capacity(graph, whole, part, i == graphs.size() - 1);
      var place =
          new Place(
              slot.backend.device(),
              first,
              layers.get(i),
              graph.kvLayers().size(),
              slot.backend.plan(part, capacity),
              slot.availableBytes,
              kind(slot));
      parts.add(new Part(slot, place, capacity));
      first += layers.get(i);
    }
    return new Placement(graph.kvLayers(), whole, parts);
  }

  private Place.Kind kind(Slot slot) {
    if (slot.backend != opened[choice.devices.size()]) {
      return Place.Kind.DEVICE;
    }
    boolean auto = choice.layers == BackendOptions.AUTO_LAYERS;
    return auto ? Place.Kind.SPILLED : Place.Kind.HOST;
  }

  /** A part has the KV groups of its own layers; all but the last hand every row on. */
  private static Capacity capacity(Graph whole, Capacity c, Graph part, boolean isLast) {
    return new Capacity(
        c.maxTokens(),
        isLast ? c.maxOutputs() : c.maxTokens(),
        c.maxSequences(),
        c.maxContext(),
        c.blockTokens(),
        part.kvGroups().stream()
            .map(window -> c.kvBlocks().get(whole.kvGroups().indexOf(window)))
            .toList(),
        c.kvType());
  }

  @Override
  public long availableBytes() {
    return last == null
        ? device(0).availableBytes()
        : used().stream().mapToLong(Backend::availableBytes).sum();
  }

  @Override
  public int threads() {
    return used().stream().mapToInt(Backend::threads).max().orElse(1);
  }

  /** Of a split: what each part's share of the weights takes on its own device, one by one. */
  @Override
  public MachineLimits measureLimits() {
    Placement placement = last;
    if (placement == null || placement.parts.size() == 1) {
      return used().iterator().next().measureLimits();
    }
    double all = placement.parts.stream().mapToLong(p -> p.place.memory().weightBytes()).sum();
    double secondsAByte = 0;
    double secondsAnOperation = 0;
    double secondsAQuantizedOperation = 0;
    for (Part part : placement.parts) {
      double share = part.place.memory().weightBytes() / all;
      MachineLimits limits = part.slot.backend.measureLimits();
      secondsAByte += share / limits.readBytesPerSecond();
      secondsAnOperation += share / limits.flopsPerSecond();
      secondsAQuantizedOperation += share / limits.quantizedFlopsPerSecond();
    }
    return new MachineLimits(
        1 / secondsAByte, 1 / secondsAnOperation, 1 / secondsAQuantizedOperation);
  }

  @Override
  public List<Degradation> degradations() {
    return used().stream().flatMap(b -> b.degradations().stream()).distinct().toList();
  }

  @Override
  public void close() {
    for (Backend backend : opened) {
      if (backend != null) {
        backend.close();
      }
    }
  }
}
