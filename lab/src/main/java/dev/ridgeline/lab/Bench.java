package dev.ridgeline.lab;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.graph.Cost;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.model.Model;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;

/**
 * Speed of one model on one backend: prompts of given lengths and generations of given lengths, at
 * given depths of the KV cache. Repeats go round over all rows, so that a machine that slows down
 * does not punish the last row only.
 */
public final class Bench implements AutoCloseable {
  /** Runs within this share of each other count as steady. */
  private static final double STEADY = 0.03;

  private static final int STEADY_RUNS = 3;
  private static final int BLOCK_TOKENS = 32;

  private final Graph graph;
  private final Executable executable;
  private final StepDriver driver;
  private final KvType kvType;
  private final int batch;

  /**
   * What to measure.
   *
   * @param promptTokens a row for each; 0 entries are left out
   * @param generateTokens a row for each; 0 entries are left out
   * @param depths each row is measured with this many tokens already in the KV cache
   * @param repeats measured runs of a row
   * @param batch tokens of a prompt in one step, at most
   * @param warmupSeconds time limit of the warm-up of all rows; it ends early once runs are steady
   * @param kvType element type of the KV cache
   */
  public record Plan(
      List<Integer> promptTokens,
      List<Integer> generateTokens,
      List<Integer> depths,
      int repeats,
      int batch,
      double warmupSeconds,
      KvType kvType) {
    /** Rejects plans without anything to measure. */
    public Plan {
      promptTokens = positive(promptTokens);
      generateTokens = positive(generateTokens);
      depths = List.copyOf(depths);
      if (promptTokens.isEmpty() && generateTokens.isEmpty()) {
        throw new IllegalArgumentException(
            "nothing to measure: no prompt and no generation length");
      }
      if (repeats <= 0 || batch <= 0 || depths.isEmpty() || depths.stream().anyMatch(d -> d < 0)) {
        throw new IllegalArgumentException(
            "repeats %d, batch %d, depths %s: expected at least 1, 1, and 0"
                .formatted(repeats, batch, depths));
      }
    }

    private static List<Integer> positive(List<Integer> lengths) {
      return lengths.stream().filter(n -> n > 0).toList();
    }

    int longest() {
      int length = Math.max(max(promptTokens), max(generateTokens));
      return max(depths) + length;
    }

    private static int max(List<Integer> values) {
      return values.isEmpty() ? 0 : Collections.max(values);
    }
  }

  /**
   * One row: exactly one of prompt and generate tokens is not 0.
   *
   * @param seconds of the measured runs
   * @param cost of one run
   */
  public record Row(int promptTokens, int generateTokens, int depth, Spread seconds, Cost cost) {
    /** Tokens processed by one run. */
    public int tokens() {
      return promptTokens + generateTokens;
    }

    /** Tokens per second: the median run's, the slowest's, the fastest's. */
    public Spread tokensPerSecond() {
      return new Spread(
          tokens() / seconds.median(), tokens() / seconds.high(), tokens() / seconds.low());
    }

    /** Bytes of weights and KV that a token costs. */
    public double bytesPerToken() {
      return (double) cost.memoryBytes() / tokens();
    }

    /** Operations that a token costs. */
    public double flopsPerToken() {
      return (double) cost.flops() / tokens();
    }
  }

  /** All rows, and how long the warm-up took. */
  public record Result(List<Row> rows, double warmupSeconds, boolean steady) {}

  /** Loads {@code model} of {@code file} on {@code backend}, with room for {@code plan}. */
  public Bench(GgufFile file, Model model, Backend backend, Plan plan) {
    graph = Fusion.fuse(model.graph());
    kvType = plan.kvType();
    batch = Math.min(plan.batch(), plan.longest());
    int blocks = (plan.longest() + BLOCK_TOKENS - 1) / BLOCK_TOKENS;
    var capacity =
        new Capacity(
            batch,
            1,
            1,
            plan.longest(),
            BLOCK_TOKENS,
            Collections.nCopies(graph.kvGroups().size(), blocks),
            kvType);
    executable = backend.compile(graph, file::tensor, capacity);
    driver = new StepDriver(graph, executable);
  }

  /** Measures every row; {@code progress} is told what is going on. */
  public Result run(Plan plan, Consumer<String> progress) {
    List<Cell> cells = cells(plan);
    progress.accept("warming up");
    long start = System.nanoTime();
    boolean steady = warmUp(cells, start + (long) (plan.warmupSeconds() * 1e9));
    double warmup = (System.nanoTime() - start) / 1e9;
    for (int repeat = 0; repeat < plan.repeats(); repeat++) {
      progress.accept("run %d of %d".formatted(repeat + 1, plan.repeats()));
      for (Cell cell : cells) {
        cell.samples.add(seconds(cell));
      }
    }
    return new Result(cells.stream().map(this::row).toList(), warmup, steady);
  }

  private static final class Cell {
    private final int prompt;
    private final int generate;
    private final int depth;
    private final List<Double> samples = new ArrayList<>();

    Cell(int prompt, int generate, int depth) {
      this.prompt = prompt;
      this.generate = generate;
      this.depth = depth;
    }
  }

  private static List<Cell> cells(Plan plan) {
    var cells = new ArrayList<Cell>();
    for (int depth : plan.depths()) {
      plan.promptTokens().forEach(n -> cells.add(new Cell(n, 0, depth)));
      plan.generateTokens().forEach(n -> cells.add(new Cell(0, n, depth)));
    }
    return cells;
  }

  /** Runs each row until its last three runs agree, or the deadline; true if all became steady. */
  private boolean warmUp(List<Cell> cells, long deadlineNanos) {
    boolean allSteady = true;
    for (Cell cell : cells) {
      var recent = new ArrayList<Double>();
      do {
        recent.add(seconds(cell));
      } while (!steady(recent) && System.nanoTime() < deadlineNanos);
      allSteady &= steady(recent);
    }
    return allSteady;
  }

  private static boolean steady(List<Double> seconds) {
    if (seconds.size() < STEADY_RUNS) {
      return false;
    }
    List<Double> last = seconds.subList(seconds.size() - STEADY_RUNS, seconds.size());
    return Collections.max(last) - Collections.min(last) < STEADY * Collections.max(last);
  }

  private double seconds(Cell cell) {
    driver.reset();
    driver.prompt(cell.depth);
    long start = System.nanoTime();
    driver.prompt(cell.prompt);
    driver.generate(cell.generate);
    return (System.nanoTime() - start) / 1e9;
  }

  private Row row(Cell cell) {
    Spread seconds = Spread.of(cell.samples.stream().mapToDouble(Double::doubleValue).toArray());
    return new Row(cell.prompt, cell.generate, cell.depth, seconds, cost(cell));
  }

  private Cost cost(Cell cell) {
    Cost cost = Cost.ZERO;
    int at = cell.depth;
    for (int left = cell.prompt; left > 0; ) {
      int now = Math.min(left, batch);
      cost = cost.plus(cost(now, at));
      at += now;
      left -= now;
    }
    for (int i = 0; i < cell.generate; i++) {
      cost = cost.plus(cost(1, at++));
    }
    return cost;
  }

  private Cost cost(int tokens, int depth) {
    return Cost.of(graph, Cost.Workload.of(tokens, depth, kvType.type()));
  }

  @Override
  public void close() {
    executable.close();
  }
}
