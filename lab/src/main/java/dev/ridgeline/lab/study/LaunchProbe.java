package dev.ridgeline.lab.study;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.StepProfile;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.lab.LoadedModel;
import dev.ridgeline.lab.StepDriver;
import dev.ridgeline.model.FileType;
import dev.ridgeline.model.Model;
import dev.ridgeline.model.synth.Synth;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.apache.commons.statistics.descriptive.Median;
import org.jspecify.annotations.Nullable;

/**
 * What an op costs before it does anything: dispatch, barriers, waiting for threads. Upper bounds,
 * from steps of a model so small that its weights stay in a near cache.
 *
 * <p>A device that times the parts of a step tells by its own clock: the shortest part is a kernel
 * that does next to nothing, between two barriers; what the step takes beside its parts is starting
 * and ending it. Where there is no such clock, it is the time of a step over its ops.
 *
 * @param microsPerOp of an op of the graph
 * @param microsPerStep of a step beside its ops; null where there is no clock of the device
 */
record LaunchProbe(double microsPerOp, @Nullable Double microsPerStep) {
  private static final int SEQUENCE_TOKENS = 50;

  /** Steps of which each part's median counts: clocks of devices may tick in microseconds. */
  private static final int PROFILES = 15;

  /** Enough for the JVM to compile what a step runs. */
  static final double SECONDS = 1;

  /** Measures {@code backend}; where it has no clock of its own, the search takes so long. */
  static LaunchProbe of(Backend backend, KvType kvType, double seconds) throws IOException {
    Path path = Files.createTempFile("launch-probe", ".gguf");
    try {
      new Synth("tiny-llama", FileType.F16).write(path, 1);
      try (GgufFile file = GgufFile.open(path)) {
        Model model = Model.read(file.metadata(), file.tensors());
        int ops = Fusion.fuse(model.graph()).ops().size();
        var room = LoadedModel.Room.of(SEQUENCE_TOKENS, 1, kvType);
        try (LoadedModel loaded = new LoadedModel(file, model, backend, room)) {
          List<StepProfile> profiles = profiles(loaded.driver());
          return profiles.isEmpty()
              ? new LaunchProbe(fastestMicros(loaded.driver(), (long) (1e9 * seconds)) / ops, null)
              : of(profiles, ops);
        }
      }
    } finally {
      Files.delete(path);
    }
  }

  /** Of steps of the same graph of {@code ops} ops, timed by the device. */
  static LaunchProbe of(List<StepProfile> profiles, int ops) {
    int parts = profiles.getFirst().parts().size();
    double shortest =
        IntStream.range(0, parts)
            .mapToDouble(i -> median(profiles, p -> p.parts().get(i).nanos()))
            .filter(nanos -> nanos > 0)
            .min()
            .orElse(0);
    double step = median(profiles, p -> Math.max(0, p.wallNanos() - p.deviceNanos()));
    // An op may be several kernels: what it computes, and the conversion of its input.
    return new LaunchProbe(shortest * parts / ops / 1e3, step / 1e3);
  }

  private static double median(List<StepProfile> profiles, ToDoubleFunction<StepProfile> of) {
    return Median.withDefaults().evaluate(profiles.stream().mapToDouble(of).toArray());
  }

  /** None where the backend has no clock of its own. */
  private static List<StepProfile> profiles(StepDriver driver) {
    List<StepProfile> profiles = new ArrayList<>();
    try {
      driver.reset();
      for (int i = 0; i < PROFILES; i++) {
        profiles.add(driver.profile(1));
      }
      return profiles;
    } catch (UnsupportedOperationException e) {
      return List.of();
    }
  }

  /** The fastest step: compilation and everything else that disturbs a step makes it slower. */
  private static double fastestMicros(StepDriver driver, long nanos) {
    long start = System.nanoTime();
    long last = start;
    long fastest = Long.MAX_VALUE;
    do {
      driver.reset();
      for (int i = 0; i < SEQUENCE_TOKENS; i++) {
        driver.generate(1);
        long now = System.nanoTime();
        fastest = Math.min(fastest, now - last);
        last = now;
      }
    } while (last - start < nanos);
    return fastest / 1e3;
  }
}
