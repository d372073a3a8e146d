package dev.ridgeline.vulkan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.graph.Fusion;
import dev.ridgeline.model.FileType;
import dev.ridgeline.model.GoldenCase;
import dev.ridgeline.model.GoldenFixture;
import dev.ridgeline.model.TrainedModel;
import dev.ridgeline.testing.ModelRun;
import dev.ridgeline.testing.Shared;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * Whole models say what other implementations of them say, without one message of the validation
 * layers. A software device takes seconds for what others do in milliseconds: by default a part,
 * with {@code -Dridgeline.tests.all=true} everything.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VulkanModelTest {
  private static final boolean ALL = Boolean.getBoolean("ridgeline.tests.all");
  private static final int WINDOWS = ALL ? Integer.MAX_VALUE : 1;

  /** Prompts of 512, and the 70 of the fixtures. */
  private static final int CONTEXT = 512;

  private static final int GOLDEN_CONTEXT = 80;
  static final List<GoldenCase> GOLDENS = GoldenCase.ALL;

  @TempDir static Path folder;
  private TestDevice device;
  private VulkanBackend backend;

  @BeforeAll
  void open() {
    device = TestDevice.open();
    backend = new VulkanBackend(device.instance, device.index);
  }

  @AfterEach
  void thereWasNoMessage() {
    assertThat(device.instance.messages()).isEmpty();
  }

  @AfterAll
  void close() {
    if (backend != null) {
      backend.close();
    }
  }

  @ParameterizedTest
  @FieldSource("GOLDENS")
  void everyArchitectureGivesTheReferenceEnginesProbabilities(GoldenCase golden)
      throws IOException {
    double tolerance =
        golden.type() == FileType.F32 ? GoldenFixture.FLOAT16_KV : GoldenFixture.INT8_ACTIVATIONS;
    try (var run = new ModelRun(golden.model(folder), backend, GOLDEN_CONTEXT, Fusion::fuse)) {
      for (var prompt : GoldenFixture.read(golden.name()).prompts()) {
        run.clear();
        assertThat(prompt.worstDifference(run.append(prompt.ids())))
            .as("after %d ids", prompt.ids().length)
            .isLessThan(tolerance);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"draft,2", "target,1"})
  void trainedModelsContinueAsTheirReferences(String name, int prompts) throws IOException {
    Path model = Shared.path("models/" + name + "-f16.gguf");
    var references = TrainedModel.read(name);
    try (var run = new ModelRun(model, backend, CONTEXT, Fusion::fuse)) {
      references.prompts().stream()
          .limit(ALL ? Integer.MAX_VALUE : prompts)
          .forEach(prompt -> TrainedModel.assertContinues(run, prompt, Integer.MAX_VALUE, 1));
      TrainedModel.assertLikelihoods(run, references.heldout(), WINDOWS);
    }
  }

  /** The model that is kept in the repository. */
  @Test
  void theQuantizedModelGivesTheReferenceEnginesProbabilities() throws IOException {
    Path model = folder.resolve("draft-q8_0.gguf");
    String resource = "/dev/ridgeline/models/draft-q8_0.gguf";
    try (InputStream in =
        Objects.requireNonNull(TrainedModel.class.getResourceAsStream(resource), resource)) {
      Files.copy(in, model);
    }
    try (var run = new ModelRun(model, backend, CONTEXT, Fusion::fuse)) {
      for (var prompt : GoldenFixture.read("draft-q8_0").prompts()) {
        run.clear();
        assertThat(prompt.worstDifference(run.append(prompt.ids())))
            .isLessThan(GoldenFixture.INT8_ACTIVATIONS);
      }
      TrainedModel.assertContinues(
          run,
          TrainedModel.read("draft").prompts().getFirst(),
          Integer.MAX_VALUE,
          TrainedModel.EIGHT_BITS);
    }
  }
}
