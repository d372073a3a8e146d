package dev.ridgeline.lab.study;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.lab.LoadedModel;
import dev.ridgeline.lab.quality.KlDivergence;
import dev.ridgeline.lab.quality.Perplexity;
import dev.ridgeline.lab.quality.Windows;
import dev.ridgeline.lab.stats.Percentiles;
import dev.ridgeline.model.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The source, loaded for scoring, and the windows that every variant is scored on. */
final class StudyQuality implements AutoCloseable {
  private final Backend backend;
  private final GgufFile file;
  private final KlDivergence.Base base;

  StudyQuality(StudyPlan plan, Backend backend, int contextLength) throws IOException {
    this.backend = backend;
    int window = Math.min(plan.qualityWindow(), contextLength);
    file = GgufFile.open(plan.model());
    try {
      Model model = Model.read(file.metadata(), file.tensors());
      // As in llama.cpp's perplexity tool, only the second half of a window is scored.
      var windows = new Windows(ids(plan, model, window).toArray(int[][]::new), window / 2);
      var options =
          new Perplexity.Options(Perplexity.Options.DEFAULTS.batchTokens(), plan.kvType());
      base = new KlDivergence.Base(file, model, backend, windows, options);
    } catch (RuntimeException | IOException | OutOfMemoryError e) {
      file.close();
      throw e;
    }
  }

  private List<int[]> ids(StudyPlan plan, Model model, int window) throws IOException {
    Path text = plan.text();
    if (text != null) {
      return QualityText.read(text, file, plan.qualityTokens(), window);
    }
    var room = LoadedModel.Room.of(window, 1, plan.kvType());
    try (LoadedModel source = new LoadedModel(file, model, backend, room)) {
      return QualityText.write(source, file, plan.qualityTokens(), window);
    }
  }

  LabRecord.Quality measure(StudyVariant variant, StudyProgress progress) {
    progress.say("measuring the quality of " + variant.name());
    try (GgufFile of = GgufFile.open(variant.path())) {
      KlDivergence.Result r = base.measure(of, Model.read(of.metadata(), of.tensors()), backend);
      return new LabRecord.Quality(
          variant.name(),
          Math.toIntExact(r.perplexity().tokens()),
          r.perplexity().perplexity(),
          r.perplexity().standardError(),
          r.meanKld(),
          r.meanKldStandardError(),
          new Percentiles(r.kld().p50(), r.kld().p95(), r.kld().p99(), r.kld().max()),
          r.topTokenAgreement(),
          r.rmsProbabilityChange());
    }
  }

  @Override
  public void close() {
    base.close();
    file.close();
  }
}
