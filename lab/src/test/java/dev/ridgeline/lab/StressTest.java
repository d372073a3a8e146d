package dev.ridgeline.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.lab.sensor.Reading;
import dev.ridgeline.lab.sensor.Sensor;
import dev.ridgeline.model.Model;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StressTest {
  private static final Duration LONG = Duration.ofMinutes(10);

  @TempDir private Path folder = Path.of("");

  private Stress.Result run(Stress.Plan plan, Sensor sensor) {
    return run(plan, sensor, Integer.MAX_VALUE);
  }

  /** With an interrupt after so many windows. */
  private Stress.Result run(Stress.Plan plan, Sensor sensor, int windows) {
    try (GgufFile file = GgufFile.open(TinyStudy.source(folder));
        Backend backend = Backends.open("reference", BackendOptions.DEFAULTS);
        LoadedModel model =
            new LoadedModel(
                file,
                Model.read(file.metadata(), file.tensors()),
                backend,
                LoadedModel.Room.of(8, 8, KvType.F16))) {
      var stress = new Stress(plan, List.of(sensor));
      var seen = new AtomicInteger();
      Stress.Result result =
          stress.run(
              model,
              _ -> {
                if (seen.incrementAndGet() == windows) {
                  stress.interrupt();
                }
              });
      assertThat(stress.isIdle()).isTrue();
      return result;
    }
  }

  private static Stress.Plan plan(Duration duration, Duration tokenTimeout) {
    return new Stress.Plan(duration, Duration.ofMillis(200), 4, 4, 85, tokenTimeout);
  }

  @Test
  void itEndsWhenTheTimeIsOver() {
    Stress.Result result =
        run(
            plan(Duration.ofSeconds(1), LONG),
            () -> new Reading("d", 50.0, 1000.0, null, List.of()));

    assertThat(result.end()).isEqualTo(Stress.End.DURATION);
    assertThat(result.windows()).isNotEmpty();
  }

  @Test
  void anInterruptEndsItAndKeepsEachWindowUntilThen() {
    Stress.Result result =
        run(plan(LONG, LONG), () -> new Reading("d", 50.0, 1000.0, null, List.of()), 6);

    assertThat(result.end()).isEqualTo(Stress.End.INTERRUPTED);
    assertThat(result.windows()).hasSizeBetween(6, 7).anyMatch(w -> w.tokens() > 0);
    assertThat(result.driftPerHour()).isNotNull();
    assertThat(result.throttling()).isEmpty();
  }

  @Test
  void aDeviceThatBecomesTooHotStopsIt() {
    var celsius = new AtomicInteger(83);
    Stress.Result result =
        run(
            plan(LONG, LONG),
            () -> new Reading("d", (double) celsius.getAndIncrement(), null, null, List.of()));

    assertThat(result.end()).isEqualTo(Stress.End.TOO_HOT);
    assertThat(result.endText()).contains("85 C");
  }

  @Test
  void aClockThatFallsAndWhatADeviceSaysItselfAreNamed() {
    var megahertz = new AtomicInteger(2000);
    Stress.Result result =
        run(
            plan(LONG, LONG),
            () ->
                new Reading(
                    "d", null, (double) megahertz.getAndAdd(-100), null, List.of("power cap")),
            4);

    assertThat(result.throttling())
        .anyMatch(t -> t.equals("d: power cap"))
        .anyMatch(t -> t.startsWith("d: clock fell from"));
  }

  @Test
  void noTokenInTimeStopsIt() {
    // No backend gives a token within a nanosecond, so that the watch must notice at its first
    // look.
    Stress.Plan plan = plan(LONG, Duration.ofNanos(1));
    GgufFile file = GgufFile.open(TinyStudy.source(folder));
    Backend backend = Backends.open("reference", BackendOptions.DEFAULTS);
    LoadedModel model =
        new LoadedModel(
            file,
            Model.read(file.metadata(), file.tensors()),
            backend,
            LoadedModel.Room.of(8, 8, KvType.F16));
    // Left open: a step may still run in them.
    assertThat(new Stress(plan, List.of()).run(model, _ -> {}).end())
        .isEqualTo(Stress.End.TOKEN_TIMEOUT);
  }
}
