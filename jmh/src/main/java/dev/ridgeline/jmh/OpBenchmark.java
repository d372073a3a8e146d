package dev.ridgeline.jmh;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.Step;
import dev.ridgeline.testing.OpCase;
import dev.ridgeline.testing.SpeedCases;
import java.lang.ref.Reference;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** One step of one op case, by the host's clock. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class OpBenchmark {
  /** Of the case, set by {@link OpBenchmarks}. */
  @Param("")
  public String op = "";

  /** Which of the case's passes. */
  @Param("0")
  public int pass;

  @Param("cpu")
  public String backend = "cpu";

  @Param("0")
  public long weightBytes;

  private @Nullable Loaded loaded;

  /** What is open during a trial. */
  private record Loaded(OpCase.Setup setup, Backend backend, Executable executable, Step step) {
    void run() {
      executable.run(step);
    }

    void close() {
      executable.close();
      backend.close();
      Reference.reachabilityFence(setup);
    }
  }

  /** Makes the data and compiles the graph. */
  @Setup(Level.Trial)
  public void open() {
    OpCase.Setup setup =
        SpeedCases.all(weightBytes).stream()
            .filter(c -> c.name().equals(op))
            .findFirst()
            .orElseThrow()
            .setup();
    Backend b = Backends.open(backend, BackendOptions.DEFAULTS);
    Executable e = b.compile(setup.graph(), setup::tensor, setup.capacity());
    var step = new Step(setup.capacity());
    setup.fill(step, pass);
    loaded = new Loaded(setup, b, e, step);
  }

  /** The step. */
  @Benchmark
  public void step() {
    Objects.requireNonNull(loaded).run();
  }

  /** Frees all. */
  @TearDown(Level.Trial)
  public void close() {
    Objects.requireNonNull(loaded).close();
  }
}
