package dev.ridgeline.cli;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.BackendProvider;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.backend.DeviceReport;
import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.lab.MachineFigures;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code ridgeline doctor}. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = {
      "Names the machine, the JVM, each backend with its measured limits, and everything that makes"
          + " it slower than it could be.",
      "Takes a few seconds: bandwidth and arithmetic are measured anew. The limits are those that"
          + " 'run' and 'bench' put speeds beside: a generated token reads all weights once, so"
          + " that bandwidth divided by the file's size is the most tokens a second."
    })
final class DoctorCommand implements Callable<Integer> {
  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "Compute threads. Default: one for each physical core.")
  private int threads;

  @Option(names = "--format", paramLabel = "F", description = "text or json. Default: text.")
  private Format format = Format.TEXT;

  @Spec private CommandSpec spec;

  record Jvm(String version, String vm, List<String> flags, long maxHeapBytes) {}

  record Machine(String os, int processors, long physicalMemoryBytes) {}

  record Slowdown(String name, String text) {}

  record BackendReport(
      String name,
      @Nullable String unavailable,
      @Nullable Measured measured,
      @Nullable List<DeviceReport> devices) {}

  record Measured(
      String description,
      int threads,
      double readGigabytesPerSecond,
      double gigaflopsPerSecond,
      double quantizedGigaflopsPerSecond,
      List<Slowdown> slowdowns) {}

  record Report(String ridgeline, Machine machine, Jvm jvm, List<BackendReport> backends) {}

  @Override
  public Integer call() {
    var backends = new ArrayList<BackendReport>();
    for (BackendProvider provider : Backends.providers()) {
      backends.add(report(provider));
    }
    var report = new Report(Version.ridgeline(), machine(), jvm(), backends);
    PrintWriter out = spec.commandLine().getOut();
    if (format == Format.JSON) {
      Json.print(out, report);
    } else {
      print(out, report);
    }
    return 0;
  }

  private BackendReport report(BackendProvider provider) {
    Optional<String> unavailable = provider.unavailable();
    if (unavailable.isPresent()) {
      return new BackendReport(provider.name(), unavailable.get(), null, null);
    }
    List<DeviceReport> devices = provider.inspect();
    try (Backend backend =
        provider.open(new BackendOptions(threads, List.of(), BackendOptions.AUTO_LAYERS))) {
      MachineFigures machine =
          MachineFigures.of(backend, measured(provider, devices).orElseGet(backend::measureLimits));
      List<Slowdown> slowdowns =
          Stream.concat(backend.degradations().stream(), backend.selfTest().stream())
              .map(d -> new Slowdown(d.name().toLowerCase(Locale.ROOT), d.text()))
              .toList();
      var measured =
          new Measured(
              machine.description(),
              machine.threads(),
              machine.readGigabytesPerSecond(),
              machine.gigaflopsPerSecond(),
              machine.limits().quantizedFlopsPerSecond() / 1e9,
              slowdowns);
      return new BackendReport(provider.name(), null, measured, devices.isEmpty() ? null : devices);
    }
  }

  /** Of the device that the backend takes by default, where its report has them. */
  private static Optional<MachineLimits> measured(
      BackendProvider provider, List<DeviceReport> devices) {
    return provider.devices().stream()
        .findFirst()
        .flatMap(index -> devices.stream().filter(d -> d.index() == index).findFirst())
        .map(DeviceReport::rates)
        .map(DeviceReport.Rates::limits);
  }

  private static Machine machine() {
    var os =
        (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return new Machine(
        os.getName() + " " + os.getVersion() + " " + os.getArch(),
        Runtime.getRuntime().availableProcessors(),
        os.getTotalMemorySize());
  }

  private static Jvm jvm() {
    return new Jvm(
        Runtime.version().toString(),
        System.getProperty("java.vm.name") + ", " + System.getProperty("java.vm.vendor"),
        ManagementFactory.getRuntimeMXBean().getInputArguments(),
        Runtime.getRuntime().maxMemory());
  }

  private static void print(PrintWriter out, Report r) {
    out.println("ridgeline  " + r.ridgeline);
    out.println(
        "machine    %s, %d processors, %s memory"
            .formatted(
                r.machine.os, r.machine.processors, Text.bytes(r.machine.physicalMemoryBytes)));
    out.println("JVM        " + r.jvm.version + ", " + r.jvm.vm);
    out.println(
        "           heap up to "
            + Text.bytes(r.jvm.maxHeapBytes)
            + "; flags "
            + String.join(" ", r.jvm.flags));
    for (BackendReport b : r.backends) {
      out.println();
      if (b.measured == null) {
        out.println("%-10s not available: %s".formatted(b.name, b.unavailable));
      } else {
        print(out, b.name, b.measured);
        if (b.devices != null) {
          b.devices.forEach(d -> print(out, d));
        }
      }
    }
    out.flush();
  }

  private static void print(PrintWriter out, DeviceReport d) {
    out.println(
        "  device %d: %s (%s, %s, Vulkan %s)"
            .formatted(d.index(), d.name(), d.kind(), d.driver(), d.apiVersion()));
    if (!d.missing().isEmpty()) {
      out.println("           cannot be used: it lacks " + String.join(", ", d.missing()));
      return;
    }
    out.println(
        "           subgroups of %d to %d, kernels use %d; features %s"
            .formatted(
                d.subgroupSizes().get(0),
                d.subgroupSizes().get(2),
                d.subgroupSizes().get(1),
                String.join(", ", d.features())));
    out.println(
        "           matrices: "
            + (d.matrices().isEmpty() ? "none" : String.join("; ", d.matrices())));
    for (DeviceReport.Heap h : d.heaps()) {
      out.println(
          "           heap of %s: %s, budget %s, used %s"
              .formatted(
                  h.deviceLocal() ? "the device" : "the host",
                  Text.bytes(h.bytes()),
                  Text.bytes(h.budgetBytes()),
                  Text.bytes(h.usedBytes())));
    }
    DeviceReport.Rates r = d.rates();
    if (r != null) {
      Double matrix = r.float16MatrixGigaflopsPerSecond();
      out.println(
          Text.number(
                  "           reads %.1f GB/s, float32 %.0f GFLOP/s, int8 dot products %.0f Gop/s",
                  r.readGigabytesPerSecond(),
                  r.float32GigaflopsPerSecond(),
                  r.int8DotGigaopsPerSecond())
              + (matrix == null ? "" : Text.number(", float16 matrices %.0f GFLOP/s", matrix)));
    }
    d.kernels()
        .forEach(
            k -> out.println("           %s: %s (%s)".formatted(k.work(), k.kernel(), k.why())));
  }

  private static void print(PrintWriter out, String name, Measured m) {
    out.println("%-10s %s".formatted(name, m.description));
    out.println(
        Text.number(
            "           %d threads read %.1f GB/s and do %.0f GFLOP/s, with quantized weights %.0f,"
                + " measured now",
            m.threads,
            m.readGigabytesPerSecond,
            m.gigaflopsPerSecond,
            m.quantizedGigaflopsPerSecond));
    m.slowdowns.forEach(
        s -> out.println("           slower than it could be: " + s.name + ": " + s.text));
    if (m.slowdowns.isEmpty()) {
      out.println("           nothing slows it down");
    }
  }
}
