package dev.ridgeline.lab;

import dev.ridgeline.lab.sensor.Reading;
import dev.ridgeline.lab.sensor.Sensor;
import dev.ridgeline.lab.stats.Estimate;
import dev.ridgeline.lab.stats.Trend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;
import org.jspecify.annotations.Nullable;

/**
 * Generates for a long time and watches what changes: throughput by window, drift, temperature,
 * clocks. It ends when the time is over, when a device is too hot, when no token comes any more, or
 * when someone says so; what was measured until then is kept.
 */
public final class Stress {
  /** A clock this much below its highest counts as throttled. */
  private static final double CLOCK_LOSS = 0.10;

  private static final long MAX_GAP_NANOS = Duration.ofHours(1).toNanos();
  private static final int DIGITS = 3;

  /** A line through fewer points is mostly noise, which an hour's drift multiplies. */
  private static final int DRIFT_WINDOWS = 6;

  private static final Duration POLL = Duration.ofMillis(200);

  /** A step under way at the end may take this long. */
  private static final Duration LAST_STEP = Duration.ofSeconds(5);

  /**
   * What to do.
   *
   * @param duration of all
   * @param window throughput is reported for each
   * @param generateTokens of one sequence, before the next begins
   * @param depth tokens of prompt of each sequence
   * @param ceilingCelsius no device may become hotter
   * @param tokenTimeout a token that takes longer ends the test
   */
  public record Plan(
      Duration duration,
      Duration window,
      int generateTokens,
      int depth,
      double ceilingCelsius,
      Duration tokenTimeout) {
    /** Rejects plans that end before they begin. */
    public Plan {
      if (!duration.isPositive() || !window.isPositive() || !tokenTimeout.isPositive()) {
        throw new IllegalArgumentException(
            "duration %s, window %s, time-out %s: expected more than nothing"
                .formatted(duration, window, tokenTimeout));
      }
      if (generateTokens < 1 || depth < 0) {
        throw new IllegalArgumentException(
            "%d tokens at depth %d: expected 1 and 0 or more".formatted(generateTokens, depth));
      }
    }
  }

  /**
   * One window.
   *
   * @param endSeconds since the start
   * @param tokensPerSecond generated tokens over the window's time, prompts included
   * @param p50Millis median time between tokens
   * @param p99Millis 99th percentile of it, to three digits
   */
  public record Window(
      double endSeconds,
      int tokens,
      double tokensPerSecond,
      double p50Millis,
      double p99Millis,
      List<Reading> sensors) {}

  /** Why it ended. */
  public enum End {
    DURATION,
    TOO_HOT,
    TOKEN_TIMEOUT,
    INTERRUPTED,
    FAILED
  }

  /**
   * What was seen.
   *
   * @param driftPerHour the trend of throughput over the windows, as a share of the median an hour;
   *     null with too few windows to tell it from noise
   * @param throttling each device that slowed down, with the evidence
   * @param endText what ended it, for people
   */
  public record Result(
      List<Window> windows,
      @Nullable Double driftPerHour,
      List<String> throttling,
      End end,
      String endText) {}

  private final Plan plan;
  private final List<Sensor> sensors;
  private final Recorder gaps = new Recorder(MAX_GAP_NANOS, DIGITS);
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private volatile long lastTokenNanos;
  private volatile boolean stop;
  private volatile boolean interrupted;
  private volatile boolean idle = true;

  /** A test of {@code plan} watched by {@code sensors}. */
  public Stress(Plan plan, List<Sensor> sensors) {
    this.plan = plan;
    this.sensors = List.copyOf(sensors);
  }

  /**
   * Runs it on {@code model}, whose room must hold the plan's depth and tokens; {@code progress}
   * gets each window. Afterwards a step may still be running, as {@link #isIdle} tells.
   */
  public Result run(LoadedModel model, Consumer<Window> progress) {
    // Compilation would look like a drift upwards.
    double warmUpSeconds = plan.window().toNanos() / 1e9;
    try {
      WarmUp _ = WarmUp.until(warmUpSeconds, () -> sequenceSeconds(model.driver()));
    } catch (StoppedException e) {
      return new Result(List.of(), null, List.of(), End.INTERRUPTED, endText(End.INTERRUPTED));
    }
    idle = false;
    lastTokenNanos = System.nanoTime();
    Thread worker = Thread.ofPlatform().daemon().name("stress").start(() -> work(model.driver()));
    List<Window> windows = new ArrayList<>();
    long start = System.nanoTime();
    long windowStart = start;
    @Nullable End end = null;
    while (end == null) {
      LockSupport.parkNanos(POLL.toNanos());
      long now = System.nanoTime();
      List<Reading> readings = Sensor.read(sensors);
      end = end(now - start, now - lastTokenNanos, readings);
      boolean full = now - windowStart >= plan.window().toNanos();
      // A last window of less than half its length says little about throughput.
      boolean rest = end != null && now - windowStart >= plan.window().toNanos() / 2;
      if (full || rest) {
        Window window = window((now - start) / 1e9, (now - windowStart) / 1e9, readings);
        windows.add(window);
        progress.accept(window);
        windowStart = now;
      }
    }
    stop = true;
    join(worker);
    idle = !worker.isAlive();
    return new Result(windows, drift(windows), throttling(windows), end, endText(end));
  }

  /** Ends the test from another thread, as soon as a token is there. */
  public void interrupt() {
    interrupted = true;
    stop = true;
  }

  /** Whether no step runs any more: only then may the model be closed. */
  public boolean isIdle() {
    return idle;
  }

  private double sequenceSeconds(StepDriver driver) {
    long start = System.nanoTime();
    driver.reset();
    driver.prompt(plan.depth());
    driver.generate(plan.generateTokens(), _ -> stopIfAsked());
    return (System.nanoTime() - start) / 1e9;
  }

  private void work(StepDriver driver) {
    try {
      while (!stop) {
        driver.reset();
        driver.prompt(plan.depth());
        lastTokenNanos = System.nanoTime();
        driver.generate(plan.generateTokens(), _ -> token());
      }
    } catch (StoppedException e) {
      // The time is over.
    } catch (RuntimeException | Error e) {
      failure.set(e);
    }
  }

  private void token() {
    long now = System.nanoTime();
    gaps.recordValue(Math.min(MAX_GAP_NANOS, now - lastTokenNanos));
    lastTokenNanos = now;
    stopIfAsked();
  }

  private void stopIfAsked() {
    if (stop) {
      throw new StoppedException();
    }
  }

  /** Leaves a generation between two tokens. */
  private static final class StoppedException extends RuntimeException {}

  private @Nullable End end(long elapsed, long sinceToken, List<Reading> readings) {
    if (failure.get() != null) {
      return End.FAILED;
    }
    if (interrupted) {
      return End.INTERRUPTED;
    }
    if (sinceToken > plan.tokenTimeout().toNanos()) {
      return End.TOKEN_TIMEOUT;
    }
    if (hottest(readings) > plan.ceilingCelsius()) {
      return End.TOO_HOT;
    }
    return elapsed >= plan.duration().toNanos() ? End.DURATION : null;
  }

  private static double hottest(List<Reading> readings) {
    return readings.stream()
        .map(Reading::celsius)
        .filter(Objects::nonNull)
        .mapToDouble(Double::doubleValue)
        .max()
        .orElse(Double.NEGATIVE_INFINITY);
  }

  private Window window(double endSeconds, double seconds, List<Reading> readings) {
    Histogram h = gaps.getIntervalHistogram();
    return new Window(
        endSeconds,
        (int) h.getTotalCount(),
        h.getTotalCount() / seconds,
        h.getValueAtPercentile(50) / 1e6,
        h.getValueAtPercentile(99) / 1e6,
        readings);
  }

  private static @Nullable Double drift(List<Window> windows) {
    if (windows.size() < DRIFT_WINDOWS) {
      return null;
    }
    double[] hours = windows.stream().mapToDouble(w -> w.endSeconds() / 3600).toArray();
    double[] speeds = windows.stream().mapToDouble(Window::tokensPerSecond).toArray();
    double median = Estimate.of(speeds).median();
    return median > 0 ? Trend.of(hours, speeds).slope() / median : null;
  }

  /** What devices said themselves, and clocks that fell. */
  private static List<String> throttling(List<Window> windows) {
    List<String> found = new ArrayList<>();
    windows.stream()
        .flatMap(w -> w.sensors().stream())
        .flatMap(r -> r.throttling().stream().map(why -> r.device() + ": " + why))
        .distinct()
        .forEach(found::add);
    windows.stream()
        .flatMap(w -> w.sensors().stream())
        .map(Reading::device)
        .distinct()
        .forEach(
            device -> {
              List<Double> clocks = clocks(windows, device);
              double highest = clocks.stream().max(Comparator.naturalOrder()).orElse(0.0);
              double last = clocks.isEmpty() ? highest : clocks.getLast();
              if (last < (1 - CLOCK_LOSS) * highest) {
                found.add("%s: clock fell from %.0f to %.0f MHz".formatted(device, highest, last));
              }
            });
    return found;
  }

  private static List<Double> clocks(List<Window> windows, String device) {
    return windows.stream()
        .flatMap(w -> w.sensors().stream())
        .filter(r -> r.device().equals(device))
        .map(Reading::megahertz)
        .filter(Objects::nonNull)
        .toList();
  }

  private String endText(End end) {
    return switch (end) {
      case DURATION -> "the time was over";
      case TOO_HOT ->
          "stopped: a device became hotter than %.0f C (--max-celsius)"
              .formatted(plan.ceilingCelsius());
      case TOKEN_TIMEOUT ->
          "stopped: no token for more than %d s (--token-timeout)"
              .formatted(plan.tokenTimeout().toSeconds());
      case INTERRUPTED -> "stopped: interrupted";
      case FAILED -> "stopped: the model failed: " + failure.get();
    };
  }

  private static void join(Thread worker) {
    try {
      worker.join(LAST_STEP);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
