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

/**
 * What an op costs before it does anything: dispatch, barriers, waiting for threads. A model so
 * small that its weights stay in a near cache generates tokens; its time over its ops is nearly all
 * of that kind, and an upper bound of it.
 */
final class LaunchProbe {
  private static final int SEQUENCE_TOKENS = 50;

  /** Enough for the JVM to compile what a step runs. */
  static final double SECONDS = 1;

  private LaunchProbe() {}

  /** Microseconds an op of a step of one token on {@code backend}; the search takes so long. */
  static double microsPerOp(Backend backend, KvType kvType, double seconds) throws IOException {
    Path path = Files.createTempFile("launch-probe", ".gguf");
    try {
      new Synth("tiny-llama", FileType.F16).write(path, 1);
      try (GgufFile file = GgufFile.open(path)) {
        Model model = Model.read(file.metadata(), file.tensors());
        var room = LoadedModel.Room.of(SEQUENCE_TOKENS, 1, kvType);
        try (LoadedModel loaded = new LoadedModel(file, model, backend, room)) {
          return fastestMicros(loaded.driver(), (long) (1e9 * seconds))
              / Fusion.fuse(model.graph()).ops().size();
        }
      }
    } finally {
      Files.delete(path);
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
