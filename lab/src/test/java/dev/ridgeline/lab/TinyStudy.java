package dev.ridgeline.lab;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.lab.study.Quantizations;
import dev.ridgeline.lab.study.RecordFile;
import dev.ridgeline.lab.study.Study;
import dev.ridgeline.lab.study.StudyPlan;
import dev.ridgeline.lab.study.StudyProgress;
import dev.ridgeline.model.FileType;
import dev.ridgeline.model.synth.Synth;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A study of a tiny random model on the reference backend: a second or two. */
public final class TinyStudy {
  private TinyStudy() {}

  /** A tiny source in {@code folder}. */
  public static Path source(Path folder) {
    Path source = folder.resolve("source.gguf");
    try {
      if (!Files.exists(source)) {
        new Synth("tiny-llama", FileType.F16).write(source, 1);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return source;
  }

  /** What is measured of it; of the lengths, 4096 is past its context. */
  public static StudyPlan plan(Path folder) {
    return new StudyPlan(
        source(folder),
        List.of("Q4_0", "Q8_0", "F16"),
        Map.of(2, 3, 3, 2, 4096, 1),
        4,
        "reference",
        BackendOptions.DEFAULTS,
        KvType.F16,
        null,
        16,
        8,
        0);
  }

  /** The reference backend. */
  public static Backend machine() {
    return backend("reference", null);
  }

  /**
   * The reference backend under a name of its own, without the seconds that measuring its limits
   * takes.
   *
   * @param availableBytes of its memory; null = all
   */
  public static Backend backend(String name, @Nullable Long availableBytes) {
    Backend real = Backends.open("reference", BackendOptions.DEFAULTS);
    return (Backend)
        Proxy.newProxyInstance(
            Backend.class.getClassLoader(),
            new Class<?>[] {Backend.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("measureLimits")) {
                return new MachineLimits(1e10, 1e10);
              }
              if (method.getName().equals("availableBytes") && availableBytes != null) {
                return availableBytes;
              }
              if (method.getName().equals("name")) {
                return name;
              }
              if (method.isDefault()) {
                return InvocationHandler.invokeDefault(proxy, method, arguments);
              }
              try {
                return method.invoke(real, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /** Runs the plan of {@code folder} into its folder {@code study}. */
  public static RecordFile.Contents run(Path folder) throws IOException {
    return run(plan(folder), folder.resolve("study"));
  }

  /** Runs {@code plan} into {@code out}. */
  public static RecordFile.Contents run(StudyPlan plan, Path out) throws IOException {
    try (Backend machine = machine()) {
      return new Study(plan, out, new Quantizations(), machine, StudyProgress.NONE).run();
    }
  }

  /** The same in a process of its own, which a test may kill. */
  public static void main(String[] args) throws IOException {
    run(Path.of(args[0]));
  }
}
