package dev.ridgeline.cli;

import dev.ridgeline.backend.StepProfile;
import dev.ridgeline.lab.Bench;
import dev.ridgeline.lab.KernelTimes;
import dev.ridgeline.lab.MachineFigures;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Where the time of steps went: as tables, and as a trace for the browser. */
final class Profiles {
  private Profiles() {}

  private static String title(Bench.Profiled p) {
    return "%s, a step of %d at %d".formatted(p.model(), p.tokens(), p.depth());
  }

  /** A table a step; the shares add up to the step's time by the host's clock. */
  static void print(List<Bench.Profiled> all, PrintWriter out, MachineFigures machine) {
    for (Bench.Profiled p : all) {
      out.println();
      out.println(title(p));
      var table =
          new Table("kernel", "runs", "us", "% of step", "MB", "GB/s", "GFLOP/s", "of limit");
      double wall = p.profile().wallNanos();
      for (KernelTimes k : p.kernels()) {
        double floor = machine.limits().floorSeconds((double) k.bytes(), (double) k.flops()) * 1e9;
        table.add(
            k.kernel(),
            k.runs(),
            Text.number("%.1f", k.nanos() / 1e3),
            Text.number("%.1f", 100 * k.nanos() / wall),
            Text.number("%.2f", k.bytes() / 1e6),
            Text.number("%.0f", k.bytes() / k.nanos()),
            Text.number("%.0f", k.flops() / k.nanos()),
            Text.number("%.0f %%", 100 * floor / k.nanos()));
      }
      double rest = wall - p.profile().deviceNanos();
      table.add(
          "starting, waiting",
          1,
          Text.number("%.1f", rest / 1e3),
          Text.number("%.1f", 100 * rest / wall),
          "",
          "",
          "",
          "");
      table.note(
          Text.number(
              "%.1f us in all: %.1f us of kernels in %d dispatches",
              wall / 1e3, p.profile().deviceNanos() / 1e3, p.profile().parts().size()));
      table.print(out, TableFormat.TEXT);
    }
    out.flush();
  }

  private record Event(
      String name, String ph, double ts, double dur, int pid, int tid, Map<String, Object> args) {}

  /** Writes Chrome's trace format: complete events in microseconds, a thread a step. */
  static void write(List<Bench.Profiled> all, Path file) {
    var events = new ArrayList<Event>();
    for (int i = 0; i < all.size(); i++) {
      Bench.Profiled p = all.get(i);
      events.add(new Event("thread_name", "M", 0, 0, 1, i, Map.of("name", title(p))));
      for (StepProfile.Part part : p.profile().parts()) {
        String ops =
            String.join(
                ", ",
                part.ops().stream()
                    .map(op -> op.getClass().getSimpleName().toLowerCase(Locale.ROOT))
                    .toList());
        events.add(
            new Event(
                part.kernel(),
                "X",
                part.startNanos() / 1e3,
                part.nanos() / 1e3,
                1,
                i,
                Map.of("ops", ops)));
      }
    }
    try {
      Files.writeString(file, Json.MAPPER.writeValueAsString(Map.of("traceEvents", events)));
    } catch (IOException e) {
      throw new UncheckedIOException("writing " + file, e);
    }
  }
}
