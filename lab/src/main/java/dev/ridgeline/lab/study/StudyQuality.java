package dev.ridgeline.lab.study;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.lab.LoadedModel;
import dev.ridgeline.model.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The source, loaded for scoring, and the windows that every variant is scored on. */
final class StudyQuality implements AutoCloseable {
  private static final int BATCH = 512;

  private final Backend backend;
  private final LoadedModel.Room room;
  private final GgufFile file;
  private final LoadedModel source;
  private final List<int[]> windows;

  StudyQuality(StudyPlan plan, Backend backend, int contextLength) throws IOException {
    this.backend = backend;
    int window = Math.min(plan.qualityWindow(), contextLength);
    int batch = Math.max(Math.min(BATCH, window), QualityMeter.OUTPUTS);
    room =
        new LoadedModel.Room(Math.max(window, batch), batch, QualityMeter.OUTPUTS, plan.kvType());
    file = GgufFile.open(plan.model());
    try {
      source = load(file);
      Path text = plan.text();
      windows =
          text == null
              ? QualityText.write(source, file, plan.qualityTokens(), window)
              : QualityText.read(text, file, plan.qualityTokens(), window);
    } catch (RuntimeException | IOException | OutOfMemoryError e) {
      file.close();
      throw e;
    }
  }

  private LoadedModel load(GgufFile of) {
    return new LoadedModel(of, Model.read(of.metadata(), of.tensors()), backend, room);
  }

  LabRecord.Quality measure(StudyVariant variant, StudyProgress progress) {
    progress.say("measuring the quality of " + variant.name());
    try (GgufFile of = GgufFile.open(variant.path());
        LoadedModel model = load(of)) {
      return new QualityMeter(source, model).measure(variant.name(), windows);
    }
  }

  @Override
  public void close() {
    source.close();
    file.close();
  }
}
