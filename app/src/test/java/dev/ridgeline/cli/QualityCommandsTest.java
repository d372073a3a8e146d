package dev.ridgeline.cli;

import static dev.ridgeline.cli.Outcome.ridgeline;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Quantizing, importance and perplexity as a user calls them, on a tiny model of noise. */
class QualityCommandsTest {
  @TempDir private Path folder = Path.of("");

  private String model = "";
  private String text = "";

  private String in(String name) {
    return folder.resolve(name).toString();
  }

  @BeforeEach
  void writeModelAndText() throws IOException {
    model = in("tiny.gguf");
    assertThat(ridgeline("synth", "tiny-llama", "F16", model).status()).isZero();
    text = in("text.txt");
    Files.writeString(Path.of(text), "The quick brown fox jumps over the lazy dog.\n".repeat(20));
  }

  @Test
  void aDryRunPrintsEachTensorAndWritesNothing() throws IOException {
    JsonNode plan =
        ridgeline("quantize", model, "--type", "hybrid", "--dry-run", "--format", "json").json();

    assertThat(plan.get("type").asString()).isEqualTo("HYBRID");
    assertThat(plan.get("target_bytes").asLong()).isLessThan(plan.get("source_bytes").asLong() / 4);
    JsonNode q = plan.get("tensors").get(2);
    assertThat(q.get("name").asString()).isEqualTo("blk.0.attn_q.weight");
    assertThat(q.get("from").asString()).isEqualTo("F16");
    assertThat(q.get("to").asString()).isEqualTo("Q5_K");
    assertThat(ridgeline("quantize", model, "--type", "hybrid", "--dry-run").out())
        .contains("blk.0.attn_q.weight", "bits a weight");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).hasSize(2);
    }
  }

  @Test
  void theQuantizedFileHoldsWhatTheDryRunPromised() {
    String out = in("q.gguf");
    Outcome run = ridgeline("quantize", model, out, "--type", "q4_k_m", "--tensor", "attn_v=Q8_0");

    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.err()).contains("Q4_K_M").contains("bits a weight");
    JsonNode info = ridgeline("inspect", out, "--format", "json").json();
    for (JsonNode t : info.get("tensors")) {
      if (t.get("name").asString().endsWith("attn_v.weight")) {
        assertThat(t.get("type").asString()).isEqualTo("Q8_0");
      }
    }
    ridgeline("quantize", model, out, "--type", "q4_0").isRefusal("is there already", "--force");
  }

  @Test
  void whatCannotBeQuantizedIsRefusedInOneLine() {
    ridgeline("quantize", model, in("x"), "--type", "Q9").isRefusal("unknown type 'Q9'", "IQ4_XS");
    ridgeline("quantize", model, "--type", "Q8_0").isRefusal("OUT is missing");
    ridgeline("quantize", model, model, "--type", "Q8_0").isRefusal("is the source and the result");
    ridgeline("quantize", in("none"), in("x"), "--type", "Q8_0").isRefusal("none");
    ridgeline("quantize", model, in("x"), "--type", "Q8_0", "--tensor", "attn")
        .isRefusal("--tensor: 'attn': expected REGEX=TYPE");
    ridgeline("quantize", model, in("x"), "--type", "Q8_0", "--imatrix", text)
        .isRefusal("expected an importance matrix");
    assertThat(Path.of(in("x"))).doesNotExist();
  }

  @Test
  void anImportanceMatrixIsMeasuredAndUsed() {
    String imatrix = in("imatrix.gguf");
    Outcome measured =
        ridgeline("imatrix", model, "--file", text, "-c", "64", "-o", imatrix, "--backend", "cpu");
    assertThat(measured.status()).as(measured.err()).isZero();
    assertThat(measured.err()).contains("21 tensors");

    JsonNode plan =
        ridgeline(
                "quantize",
                model,
                "--type",
                "Q4_K_M",
                "--imatrix",
                imatrix,
                "--dry-run",
                "--format",
                "json")
            .json();
    for (JsonNode t : plan.get("tensors")) {
      boolean layer = t.get("name").asString().matches("blk.*(attn_.|attn_output|ffn_.*)\\.weight");
      boolean matrix = !t.get("from").asString().equals("F32");
      assertThat(t.get("weighted").asBoolean())
          .as(t.get("name").asString())
          .isEqualTo(layer && matrix);
    }
    ridgeline("imatrix", model, "--file", text, "-o", imatrix).isRefusal("is there already");
  }

  @Test
  void aModelDoesNotDivergeFromItself() {
    String base = in("base.kld");
    JsonNode saved =
        ridgeline(
                "perplexity",
                model,
                "--file",
                text,
                "-c",
                "64",
                "--kld-save",
                base,
                "--format",
                "json")
            .json();
    JsonNode same = ridgeline("perplexity", model, "--kld-base", base, "--format", "json").json();

    double perplexity = saved.get("perplexity").asDouble();
    assertThat(same.get("perplexity").asDouble()).isEqualTo(perplexity);
    // The base is rounded to 16 bits: steps of 16 / 65535 in each log-probability at most.
    assertThat(same.get("base_perplexity").asDouble())
        .isCloseTo(perplexity, within(perplexity * 1e-3));
    assertThat(same.get("mean_kld").asDouble()).isCloseTo(0, within(1e-4));
    assertThat(same.get("top_token_agreement").asDouble()).isGreaterThan(0.98);
    assertThat(same.get("rms_probability_change").asDouble()).isLessThan(1e-3);
    assertThat(same.get("tokens").asLong()).isEqualTo(saved.get("tokens").asLong());
  }

  @Test
  void aQuantizedModelDiverges() {
    String base = in("base.kld");
    String small = in("q2.gguf");
    assertThat(ridgeline("quantize", model, small, "--type", "Q2_K").status()).isZero();
    assertThat(
            ridgeline("perplexity", model, "--file", text, "-c", "64", "--kld-save", base).status())
        .isZero();

    Outcome compared = ridgeline("perplexity", small, "--kld-base", base, "--format", "json");

    assertThat(compared.json().get("mean_kld").asDouble()).isGreaterThan(0.01);
    assertThat(compared.json().get("kld").get("p99").asDouble())
        .isGreaterThan(compared.json().get("kld").get("p50").asDouble());
  }

  @Test
  void perplexityRefusesWhatItCannotMeasure() throws IOException {
    ridgeline("perplexity", model).isRefusal("--file is missing");
    ridgeline("perplexity", model, "--file", text, "-c", "4096")
        .isRefusal("one window of 4096 needs more");
    ridgeline("perplexity", model, "--kld-base", text)
        .isRefusal("not a file that --kld-save wrote");
    ridgeline("perplexity", model, "--file", text, "-c", "2")
        .isRefusal("--ctx: expected at least 4");
    Path cut = Path.of(in("cut.kld"));
    ridgeline("perplexity", model, "--file", text, "-c", "64", "--kld-save", cut.toString());
    byte[] bytes = Files.readAllBytes(cut);
    Files.write(cut, java.util.Arrays.copyOf(bytes, bytes.length - 1));
    ridgeline("perplexity", model, "--kld-base", cut.toString()).isRefusal("its header promises");
  }
}
