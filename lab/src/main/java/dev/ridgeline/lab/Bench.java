package dev.ridgeline.lab;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Place;
import dev.ridgeline.backend.StepProfile;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.graph.Cost;
import dev.ridgeline.lab.stats.Estimate;
import dev.ridgeline.model.Model;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Speed of models on backends: prompts of given lengths and generations of given lengths, at given
 * depths of the KV cache. Repeats go round over all rows of all setups that fit into memory
 * together, so that a machine that slows down does not punish the last row only.
 */
public final class Bench implements AutoCloseable {
  private final BenchPlan plan;
  private final OpenBackends backends = new OpenBackends();
  private final Consumer<String> progress;
  private final BiConsumer<List<Place>, Integer> placed;

  /**
   * One row: exactly one of prompt and generate tokens is not 0.
   *
   * @param modelName what the file calls itself
   * @param machine the backend that ran it, with what it can do at most
   * @param seconds of each measured run
   * @param cost of one run
   * @param warmUp before the first measured run
   */
  public record Row(
      Setup setup,
      String modelName,
      MachineFigures machine,
      int promptTokens,
      int generateTokens,
      int depth,
      List<Double> seconds,
      Cost cost,
      WarmUp warmUp) {
    /** Tokens processed by one run. */
    public int tokens() {
      return promptTokens + generateTokens;
    }

    /** Tokens per second of each run. */
    public List<Double> speeds() {
      return seconds.stream().map(s -> tokens() / s).toList();
    }

    /** Tokens per second. */
    public Estimate tokensPerSecond() {
      return Estimate.of(speeds());
    }

    /** Bytes of weights and KV that a token costs. */
    public double bytesPerToken() {
      return (double) cost.memoryBytes() / tokens();
    }

    /** Operations that a token costs. */
    public double flopsPerToken() {
      return (double) cost.flops() / tokens();
    }

    /** What the median run reached. */
    public Utilization utilization() {
      double seconds = tokens() / tokensPerSecond().median();
      return Utilization.of(cost, seconds, machine.limits());
    }
  }

  private final List<Profiled> profiled = new ArrayList<>();
  private boolean profiles;

  /** A bench of {@code plan}; {@code progress} is told what is going on. */
  public Bench(BenchPlan plan, Consumer<String> progress) {
    this(plan, progress, (_, _) -> {});
  }

  /**
   * The same; {@code placed} is told, of each setup before it is loaded, where its layers go and
   * for how many tokens there is KV.
   */
  public Bench(BenchPlan plan, Consumer<String> progress, BiConsumer<List<Place>, Integer> placed) {
    this.placed = placed;
    this.plan = plan;
    this.progress = progress;
  }

  /** The rows of all {@code setups}. */
  public List<Row> run(List<Setup> setups) {
    Deque<Opened> waiting = new ArrayDeque<>();
    List<Row> rows = new ArrayList<>();
    try {
      setups.forEach(s -> waiting.add(new Opened(s)));
      while (!waiting.isEmpty()) {
        rows.addAll(measure(takeWhatFits(waiting)));
      }
    } finally {
      waiting.forEach(Opened::close);
    }
    return rows;
  }

  /** Where the time of one step of each row goes; see {@link #profile()}. */
  public record Profiled(
      String model, int tokens, int depth, StepProfile profile, List<KernelTimes> kernels) {
    /** Copies the list. */
    public Profiled {
      kernels = List.copyOf(kernels);
    }
  }

  /** Also profiles one step of each row of {@link #run}, once it is measured. */
  public void profile() {
    profiles = true;
  }

  /** What {@link #profile()} asked for. */
  public List<Profiled> profiled() {
    return List.copyOf(profiled);
  }

  /** From the front: the first, and those after it that fit beside it. */
  private List<Opened> takeWhatFits(Deque<Opened> waiting) {
    List<Opened> group = new ArrayList<>();
    long bytes = 0;
    while (!waiting.isEmpty()) {
      Opened next = waiting.getFirst();
      double most = Place.usable(next.backend.availableBytes());
      bytes += next.bytes();
      if (bytes > most && group.isEmpty()) {
        throw new IllegalArgumentException(
            "%s: does not fit: it takes %.1f GB, %.1f GB are available; bench shorter rows or a smaller model"
                .formatted(next.setup.model(), bytes / 1e9, most / 1e9));
      }
      if (bytes > most) {
        break;
      }
      group.add(waiting.removeFirst());
    }
    return group;
  }

  private List<Row> measure(List<Opened> group) {
    List<Cell> cells = new ArrayList<>();
    try {
      for (Opened o : group) {
        progress.accept("loading " + o.model.name());
        o.load();
        cells.addAll(cells(o));
      }
      for (Cell cell : cells) {
        progress.accept("warming up: " + cell.describe());
        cell.warmUp = WarmUp.until(plan.warmupSeconds(), cell::seconds);
      }
      int most = cells.stream().mapToInt(c -> c.repeats).max().orElseThrow();
      for (int repeat = 0; repeat < most; repeat++) {
        for (Cell cell : cells) {
          if (repeat < cell.repeats) {
            progress.accept("run %d of %d: %s".formatted(repeat + 1, most, cell.describe()));
            cell.samples.add(cell.seconds());
          }
        }
      }
      if (profiles) {
        cells.forEach(cell -> profiled.add(cell.profile()));
      }
      // A machine that is shared can be faster now than when it was measured first.
      progress.accept("measuring the machine once more");
      group.stream().map(o -> o.backend).distinct().forEach(backends::figuresAgain);
      group.forEach(o -> o.figures = backends.figures(o.backend));
      return cells.stream().map(Cell::row).toList();
    } finally {
      group.forEach(Opened::close);
    }
  }

  private List<Cell> cells(Opened opened) {
    var cells = new ArrayList<Cell>();
    for (int repeats : plan.repeats()) {
      for (int depth : plan.depths()) {
        plan.promptTokens().forEach(n -> cells.add(new Cell(opened, n, 0, depth, repeats)));
        plan.generateTokens().forEach(n -> cells.add(new Cell(opened, 0, n, depth, repeats)));
      }
    }
    return cells;
  }

  /** A setup whose file is open. */
  private final class Opened implements AutoCloseable {
    private final Setup setup;
    private final Backend backend;
    private MachineFigures figures;
    private final GgufFile file;
    private final Model model;
    private final List<LoadedModel> loaded = new ArrayList<>();

    Opened(Setup setup) {
      this.setup = setup;
      backend = backends.get(setup.backend(), setup.options());
      file = GgufFile.open(setup.model());
      try {
        model = Model.read(file.metadata(), file.tensors());
        placed.accept(LoadedModel.places(model, backend, room()), plan.longest());
        progress.accept("measuring what " + backend.name() + " can do");
        figures = backends.figures(backend);
      } catch (RuntimeException e) {
        file.close();
        throw e;
      }
    }

    private LoadedModel.Room room() {
      return LoadedModel.Room.of(plan.longest(), setup.batch(), setup.kvType());
    }

    long bytes() {
      return LoadedModel.plan(model, backend, room()).totalBytes();
    }

    void load() {
      loaded.add(new LoadedModel(file, model, backend, room()));
    }

    @Override
    public void close() {
      loaded.forEach(LoadedModel::close);
      file.close();
    }
  }

  private static final class Cell {
    private final Opened opened;
    private final LoadedModel loaded;
    private final int prompt;
    private final int generate;
    private final int depth;
    private final int repeats;
    private final List<Double> samples = new ArrayList<>();
    private WarmUp warmUp = new WarmUp(0, false);

    Cell(Opened opened, int prompt, int generate, int depth, int repeats) {
      this.opened = opened;
      this.loaded = opened.loaded.getFirst();
      this.prompt = prompt;
      this.generate = generate;
      this.depth = depth;
      this.repeats = repeats;
    }

    String describe() {
      return "%s, %s"
          .formatted(opened.model.name(), prompt > 0 ? "prompt " + prompt : "generate " + generate);
    }

    double seconds() {
      StepDriver driver = loaded.driver();
      driver.reset();
      driver.prompt(depth);
      long start = System.nanoTime();
      driver.prompt(prompt);
      driver.generate(generate);
      return (System.nanoTime() - start) / 1e9;
    }

    Profiled profile() {
      Capacity capacity = loaded.executable().capacity();
      int tokens = prompt > 0 ? Math.min(prompt, capacity.maxTokens()) : 1;
      StepDriver driver = loaded.driver();
      driver.reset();
      driver.prompt(depth);
      StepProfile profile = driver.profile(tokens);
      var work = Cost.Workload.of(tokens, depth, capacity.kvType().type());
      return new Profiled(
          opened.model.name(), tokens, depth, profile, KernelTimes.of(profile, work));
    }

    Row row() {
      Cost cost = loaded.promptCost(prompt, depth).plus(loaded.generateCost(generate, depth));
      return new Row(
          opened.setup,
          opened.model.name(),
          opened.figures,
          prompt,
          generate,
          depth,
          List.copyOf(samples),
          cost,
          warmUp);
    }
  }

  @Override
  public void close() {
    backends.close();
  }
}
