package dev.ridgeline.jmh;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.backend.Step;
import dev.ridgeline.backend.StepProfile;
import dev.ridgeline.graph.Cost;
import dev.ridgeline.graph.Op;
import dev.ridgeline.testing.OpCase;
import dev.ridgeline.testing.SpeedCases;
import java.lang.management.ManagementFactory;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Times the op cases, each beside the limit of the machine: {@code OpBenchmarks [REGEX] [--backend
 * NAME] [--mb N] [--seconds S]}. On a host backend by JMH; on Vulkan by the GPU's own timestamps,
 * which leave out what handing over costs.
 */
public final class OpBenchmarks {
  private static final int FORKS = 1;
  private static final int ITERATIONS = 5;
  private static final int GPU_STEPS = 11;
  private static final int FEWEST_GPU_STEPS = 6;
  private static final long GPU_NANOS = 2_000_000_000L;

  /**
   * A GPU that waited while the host made the data has lowered its clocks (an H200 to 345 MHz of
   * 1,980) and takes a while to raise them.
   */
  private static final long GPU_WARM_NANOS = 250_000_000L;

  private OpBenchmarks() {}

  /**
   * A line of the table.
   *
   * @param halfNanos half of the range of the samples
   * @param kernels what ran, where that is known
   */
  private record Row(
      String op, int tokens, double nanos, double halfNanos, Cost cost, String kernels) {}

  /** A step: the time of all kernels of the op, and of each. */
  private record Sample(double nanos, Map<String, Double> kernels) {
    @Override
    public String toString() {
      return kernels.entrySet().stream()
          .map(k -> String.format(Locale.ROOT, "%s %.1f", k.getKey(), k.getValue() / 1e3))
          .collect(Collectors.joining(", "));
    }
  }

  /** Runs what the arguments ask for. */
  public static void main(String[] args) throws RunnerException {
    String backend = option(args, "--backend", "cpu");
    long bytes = Long.parseLong(option(args, "--mb", "128")) << 20;
    double seconds = Double.parseDouble(option(args, "--seconds", "0.5"));
    Pattern wanted = Pattern.compile(args.length == 0 || args[0].startsWith("-") ? "" : args[0]);
    List<OpCase> cases =
        SpeedCases.all(bytes).stream().filter(c -> wanted.matcher(c.name()).find()).toList();
    if (cases.isEmpty()) {
      System.err.println("no case matches '" + wanted + "'");
      System.exit(2);
    }
    MachineLimits limits;
    String description;
    try (Backend b = Backends.open(backend, BackendOptions.DEFAULTS)) {
      limits = b.measureLimits();
      description = b.name() + ", " + b.description() + ", " + b.threads() + " threads";
      if (backend.equals("vulkan")) {
        printHead(description, limits);
        onGpu(b, cases, row -> print(row, limits));
        return;
      }
    }
    // JMH prints its own lines meanwhile; and a second open backend would cost memory.
    List<Row> rows = onHost(backend, bytes, seconds, cases);
    printHead(description, limits);
    rows.forEach(row -> print(row, limits));
  }

  private static String option(String[] args, String name, String otherwise) {
    int at = List.of(args).indexOf(name);
    return at < 0 || at + 1 == args.length ? otherwise : args[at + 1];
  }

  private static List<Row> onHost(String backend, long bytes, double seconds, List<OpCase> cases)
      throws RunnerException {
    List<Row> rows = new ArrayList<>();
    for (OpCase c : cases) {
      OpCase.Setup setup = c.setup();
      String[] passes = new String[setup.passes().size()];
      java.util.Arrays.setAll(passes, String::valueOf);
      var options =
          new OptionsBuilder()
              .include(OpBenchmark.class.getName())
              .param("op", c.name())
              .param("pass", passes)
              .param("backend", backend)
              .param("weightBytes", Long.toString(bytes))
              .forks(FORKS)
              .warmupIterations(ITERATIONS)
              .measurementIterations(ITERATIONS)
              .warmupTime(TimeValue.milliseconds((long) (1e3 * seconds)))
              .measurementTime(TimeValue.milliseconds((long) (1e3 * seconds)))
              .jvmArgs(
                  ManagementFactory.getRuntimeMXBean().getInputArguments().toArray(String[]::new))
              .build();
      for (RunResult result : new Runner(options).run()) {
        int pass = Integer.parseInt(result.getParams().getParam("pass"));
        Result<?> time = result.getPrimaryResult();
        rows.add(
            new Row(
                c.name(),
                tokens(setup, pass),
                time.getScore(),
                (time.getStatistics().getMax() - time.getStatistics().getMin()) / 2,
                cost(setup, pass),
                ""));
      }
    }
    return rows;
  }

  private static void onGpu(Backend backend, List<OpCase> cases, Consumer<Row> rows) {
    for (OpCase c : cases) {
      OpCase.Setup setup = c.setup();
      try (Executable e = backend.compile(setup.graph(), setup::tensor, setup.capacity())) {
        var step = new Step(setup.capacity());
        for (int pass = 0; pass < setup.passes().size(); pass++) {
          setup.fill(step, pass);
          warmUp(e, step);
          List<Sample> samples = samples(() -> sample(e.profile(step), c.name()));
          double half = (samples.getLast().nanos - samples.getFirst().nanos) / 2;
          Sample median = samples.get(samples.size() / 2);
          int tokens = tokens(setup, pass);
          Cost cost = cost(setup, pass);
          rows.accept(new Row(c.name(), tokens, median.nanos, half, cost, median.toString()));
        }
      }
      Reference.reachabilityFence(setup);
    }
  }

  private static void warmUp(Executable e, Step step) {
    long end = System.nanoTime() + GPU_WARM_NANOS;
    do {
      e.run(step);
    } while (System.nanoTime() < end);
  }

  /** Sorted; as many again before them warm caches up. Fewer where they take long. */
  private static List<Sample> samples(Supplier<Sample> sample) {
    long start = System.nanoTime();
    List<Sample> all = new ArrayList<>();
    while (all.size() < 2 * GPU_STEPS
        && (all.size() < FEWEST_GPU_STEPS || System.nanoTime() - start < GPU_NANOS)) {
      all.add(sample.get());
    }
    return all.subList(all.size() / 2, all.size()).stream()
        .sorted(Comparator.comparingDouble(Sample::nanos))
        .toList();
  }

  /** The parts that do the case's work: all but the making of its inputs. */
  private static Sample sample(StepProfile profile, String name) {
    Map<String, Double> kernels = new LinkedHashMap<>();
    for (StepProfile.Part part : profile.parts()) {
      if (part.ops().stream().anyMatch(op -> isMeasured(op, name))) {
        kernels.merge(part.kernel(), part.nanos(), Double::sum);
      }
    }
    return new Sample(kernels.values().stream().mapToDouble(Double::doubleValue).sum(), kernels);
  }

  private static boolean isMeasured(Op op, String name) {
    return name.startsWith("dequantize")
        ? op instanceof Op.Embed
        : !(op instanceof Op.Embed || op instanceof Op.SelectOutputs);
  }

  private static int tokens(OpCase.Setup setup, int pass) {
    return setup.passes().get(pass).runs().getFirst().count();
  }

  /** What the measured op must move and compute; a dequantization also writes its floats. */
  private static Cost cost(OpCase.Setup setup, int pass) {
    OpCase.Run run = setup.passes().get(pass).runs().getFirst();
    var work =
        new Cost.Workload(
            1, run.count(), run.count(), run.position(), setup.capacity().kvType().type());
    Cost all = Cost.ZERO;
    for (Op op : setup.graph().ops()) {
      boolean input = op instanceof Op.Embed && setup.graph().ops().size() > 2;
      if (!input && !(op instanceof Op.SelectOutputs)) {
        Cost cost = Cost.of(op, work);
        all = all.plus(cost);
        if (op instanceof Op.Embed) {
          all = all.plus(new Cost(0, 0, 0, 0, cost.activationBytes(), 0));
        }
      }
    }
    return all;
  }

  private static void printHead(String description, MachineLimits limits) {
    System.out.printf(
        Locale.ROOT,
        "%n%s: reads %.1f GB/s, does %.0f GFLOP/s%n%n",
        description,
        limits.readBytesPerSecond() / 1e9,
        limits.flopsPerSecond() / 1e9);
    System.out.println(
        "| op | tokens | us | +- | GB/s | GFLOP/s | share of limit | limit | kernels, us |");
    System.out.println("|---|---:|---:|---:|---:|---:|---:|---|---|");
  }

  private static void print(Row r, MachineLimits limits) {
    double bytes = r.cost.memoryBytes();
    double flops = r.cost.flops();
    MachineLimits mixed = limits.mixedAs(r.cost);
    double share = mixed.floorSeconds(bytes, flops) * 1e9 / r.nanos;
    System.out.printf(
        Locale.ROOT,
        "| %s | %d | %.1f | %.1f | %.1f | %.1f | %.0f %%%s | %s | %s |%n",
        r.op,
        r.tokens,
        r.nanos / 1e3,
        r.halfNanos / 1e3,
        bytes / r.nanos,
        flops / r.nanos,
        100 * share,
        share > 1.02 ? " (above: wrong, or from a cache)" : "",
        Map.of(
                MachineLimits.Limit.MEMORY_BANDWIDTH, "bandwidth",
                MachineLimits.Limit.ARITHMETIC, "arithmetic")
            .get(mixed.limit(bytes, flops)),
        r.kernels);
  }
}
