package dev.ridgeline.cli;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.lab.LoadedModel;
import dev.ridgeline.lab.Setup;
import dev.ridgeline.lab.Stress;
import dev.ridgeline.lab.sensor.Reading;
import dev.ridgeline.lab.sensor.Sensor;
import dev.ridgeline.model.Model;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** The stress test of {@code bench --duration}. */
final class StressArguments {
  /** More than a last step may take. */
  private static final int LAST_WORDS_SECONDS = 10;

  @Option(
      names = "--duration",
      converter = Durations.class,
      paramLabel = "T",
      description = "Generate for this long: 90s, 10m, 2h.")
  @Nullable Duration duration;

  @Option(
      names = "--window",
      converter = Durations.class,
      paramLabel = "T",
      description = "Report throughput for each. Default: 10s.")
  private Duration window = Duration.ofSeconds(10);

  @Option(
      names = "--max-celsius",
      paramLabel = "C",
      description = "Stop when a device becomes hotter. Default: 85.")
  private double ceiling = 85;

  @Option(
      names = "--token-timeout",
      converter = Durations.class,
      paramLabel = "T",
      description = "Stop when a token takes longer. Default: 60s.")
  private Duration tokenTimeout = Duration.ofSeconds(60);

  /** Status 0 when the whole time went well, 1 when something stopped it. */
  int run(Setup setup, int generate, int depth, TableFormat format, CommandLine command) {
    var plan =
        new Stress.Plan(
            duration == null ? Duration.ZERO : duration,
            window,
            generate,
            depth,
            ceiling,
            tokenTimeout);
    PrintWriter out = command.getOut();
    List<Sensor> sensors = Sensor.all();
    // Not closed by try: where a step still runs in them, only the process can end it.
    GgufFile file = GgufFile.open(setup.model());
    Backend backend = Backends.open(setup.backend(), setup.options());
    Model model = Model.read(file.metadata(), file.tensors());
    var room = LoadedModel.Room.of(depth + generate, setup.batch(), setup.kvType());
    LoadedModel loaded = new LoadedModel(file, model, backend, room);
    var stress = new Stress(plan, sensors);
    var done = new CountDownLatch(1);
    var interrupt = Thread.ofPlatform().unstarted(() -> interrupt(stress, done));
    Runtime.getRuntime().addShutdownHook(interrupt);
    try {
      Stress.Result result = stress.run(loaded, w -> window(w, format, out, command.getErr()));
      summary(result, format, out, command.getErr());
      if (stress.isIdle()) {
        loaded.close();
        backend.close();
        file.close();
      }
      return result.end() == Stress.End.DURATION ? 0 : Errors.FAILED;
    } finally {
      done.countDown();
    }
  }

  /** When the process is told to end: holds it until what was measured is printed. */
  private static void interrupt(Stress stress, CountDownLatch done) {
    stress.interrupt();
    try {
      boolean _ = done.await(LAST_WORDS_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void window(
      Stress.Window w, TableFormat format, PrintWriter out, PrintWriter err) {
    switch (format) {
      case JSONL -> Json.printLine(out, w);
      case JSON -> err.println(line(w));
      case CSV ->
          out.println(
              String.format(
                  Locale.ROOT,
                  "%.1f,%d,%.3f,%.3f,%.3f",
                  w.endSeconds(),
                  w.tokens(),
                  w.tokensPerSecond(),
                  w.p50Millis(),
                  w.p99Millis()));
      case TEXT, MD, SQL -> out.println(line(w));
    }
    out.flush();
    err.flush();
  }

  private static String line(Stress.Window w) {
    return Text.number(
        "%7.0f s  %8s tok/s  P50 %s ms  P99 %s ms%s",
        w.endSeconds(),
        Text.significant(w.tokensPerSecond()),
        Text.significant(w.p50Millis()),
        Text.significant(w.p99Millis()),
        w.sensors().stream().map(StressArguments::sensor).collect(Collectors.joining()));
  }

  private static String sensor(Reading r) {
    return "  "
        + r.device()
        + (r.celsius() == null ? "" : Text.number(" %.0f C", r.celsius()))
        + (r.megahertz() == null ? "" : Text.number(" %.0f MHz", r.megahertz()))
        + (r.watts() == null ? "" : Text.number(" %.0f W", r.watts()));
  }

  private static void summary(
      Stress.Result r, TableFormat format, PrintWriter out, PrintWriter err) {
    if (format == TableFormat.JSON) {
      Json.print(out, r);
    }
    PrintWriter to = format == TableFormat.TEXT || format == TableFormat.MD ? out : err;
    to.println(r.endText());
    if (r.driftPerHour() != null) {
      // Not an hour's: a minute's noise times 60 would be no figure.
      double seconds = r.windows().getLast().endSeconds();
      to.println(
          Text.number(
              "drift of throughput: %+.1f %% over these %.0f s",
              100 * r.driftPerHour() * seconds / 3600, seconds));
    }
    boolean anySensor = r.windows().stream().anyMatch(w -> !w.sensors().isEmpty());
    if (!anySensor) {
      to.println("no sensor of temperature or clock can be read on this machine");
    }
    to.println(
        r.throttling().isEmpty()
            ? "no throttling seen" + (anySensor ? "" : ", as nothing could show it")
            : "throttling: " + String.join("; ", r.throttling()));
    to.flush();
  }
}
