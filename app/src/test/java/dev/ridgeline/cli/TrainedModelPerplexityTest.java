package dev.ridgeline.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.lab.quality.Perplexity;
import dev.ridgeline.lab.quality.Windows;
import dev.ridgeline.model.Model;
import dev.ridgeline.testing.Shared;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** Perplexity of really trained models over windows that another implementation scored. */
class TrainedModelPerplexityTest {
  /** With {@code -Dridgeline.tests.all=true} all windows; else as many as take seconds. */
  private static final boolean ALL = Boolean.getBoolean("ridgeline.tests.all");

  @ParameterizedTest
  @CsvSource({"draft, 8", "target, 4"})
  void theFloat16ModelHasTheRecordedPerplexity(String name, int windows) throws Exception {
    Path models = Shared.path("models");
    JsonNode heldout =
        Json.MAPPER.readTree(Files.readString(models.resolve(name + "-refs.json"))).get("heldout");
    int count = ALL ? heldout.get("ids").size() : windows;
    int[][] ids = new int[count][];
    double nll = 0;
    for (int w = 0; w < count; w++) {
      JsonNode window = heldout.get("ids").get(w);
      ids[w] = new int[window.size()];
      Arrays.setAll(ids[w], i -> window.get(i).asInt());
      nll += heldout.get("nll").get(w).asDouble();
    }
    double recorded = Math.exp(nll / count / (ids[0].length - 1));
    try (GgufFile file = GgufFile.open(models.resolve(name + "-f16.gguf"));
        Backend backend = Backends.open("cpu", BackendOptions.DEFAULTS)) {
      Model model = Model.read(file.metadata(), file.tensors());

      Perplexity.Result result =
          Perplexity.measure(
              file, model, backend, new Windows(ids, 0), Perplexity.Options.DEFAULTS, (_, _) -> {});

      assertThat(result.tokens()).isEqualTo((long) count * (ids[0].length - 1));
      assertThat(result.perplexity()).isCloseTo(recorded, withinPercentage(0.1));
      assertThat(result.standardError()).isBetween(0.01 * recorded, 0.1 * recorded);
    }
  }
}
