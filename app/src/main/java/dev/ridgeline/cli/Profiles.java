package dev.ridgeline.cli;

import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.backend.StepProfile;
import dev.ridgeline.lab.Bench;
import dev.ridgeline.lab.KernelTimes;
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
  private record Entry(String title, Bench.Profiled profiled) {}

  private final List<Entry> entries = new ArrayList<>();

  void add(String model, List<Bench.Profiled> profiled) {
    for (Bench.Profiled p : profiled) {
      String step = p.generates() ? "generate" : "prompt of " + p.tokens();
      entries.add(new Entry("%s, %s at %d".formatted(model, step, p.depth()), p));
    }
  }

  /** A table a step; the shares add up to the step's time by the host's clock. */
  void print(PrintWriter out, MachineLimits limits) {
    for (Entry entry : entries) {
      out.println();
      out.println(entry.title);
      Bench.Profiled p = entry.profiled;
      var table = new Table("kernel", "runs", "us", "% of step", "MB", "GB/s", "GFLOP/s", "of limit");
      double wall = p.profile().wallNanos();
      for (KernelTimes k : p.kernels()) {
        double floor = limits.floorSeconds(k.bytes(), k.flops()) * 1e9;
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
      table.print(out, Format.TEXT);
    }
    out.flush();
  }

  private record Event(
      String name, String ph, double ts, double dur, int pid, int tid, Map<String, Object> args) {}

  /** Writes Chrome's trace format: complete events in microseconds, a thread a step. */
  void write(Path file) {
    var events = new ArrayList<Event>();
    for (int i = 0; i < entries.size(); i++) {
      Entry entry = entries.get(i);
      events.add(new Event("thread_name", "M", 0, 0, 1, i, Map.of("name", entry.title)));
      for (StepProfile.Part part : entry.profiled.profile().parts()) {
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
