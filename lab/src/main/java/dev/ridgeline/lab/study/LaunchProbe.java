package dev.ridgeline.lab.study;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.KvType;
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
import java.util.Collections;
import java.util.List;

/**
 * What an op costs before it does anything: dispatch, barriers, waiting for threads. A model so
 * small that its weights stay in a near cache generates tokens; its time over its ops is nearly all
 * of that kind, and an upper bound of it.
 */
final class LaunchProbe {
  private static final int MOST_STEPS = 400;
  private static final long NANOS = 200_000_000;

  private LaunchProbe() {}

  /** Microseconds an op of a step of one token on {@code backend}. */
  static double microsPerOp(Backend backend, KvType kvType) throws IOException {
    Path path = Files.createTempFile("launch-probe", ".gguf");
    try {
      new Synth("tiny-llama", FileType.F16).write(path, 1);
      try (GgufFile file = GgufFile.open(path)) {
        Model model = Model.read(file.metadata(), file.tensors());
        var room = LoadedModel.Room.of(MOST_STEPS, 1, kvType);
        try (LoadedModel loaded = new LoadedModel(file, model, backend, room)) {
          steps(loaded.driver());
          List<Double> micros = steps(loaded.driver());
          // The fastest: everything that disturbs a step makes it slower.
          return Collections.min(micros) / Fusion.fuse(model.graph()).ops().size();
        }
      }
    } finally {
      Files.delete(path);
    }
  }

  /** Microseconds of each of as many steps as fit into the time. */
  private static List<Double> steps(StepDriver driver) {
    List<Double> micros = new ArrayList<>();
    driver.reset();
    long start = System.nanoTime();
    long last = start;
    while (micros.size() < MOST_STEPS && last - start < NANOS) {
      driver.generate(1);
      long now = System.nanoTime();
      micros.add((now - last) / 1e3);
      last = now;
    }
    return micros;
  }
}
