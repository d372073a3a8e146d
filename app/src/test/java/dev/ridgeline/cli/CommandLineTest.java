package dev.ridgeline.cli;

import static dev.ridgeline.cli.Outcome.ridgeline;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.backend.Degradation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** The commands as a user calls them, on the built-in model. */
class CommandLineTest {
  private static final String MODEL = BuiltinModel.path().toString();

  @TempDir private Path folder = Path.of("");

  private static List<Integer> ints(JsonNode array) {
    return IntStream.range(0, array.size()).mapToObj(i -> array.get(i).asInt()).toList();
  }

  @Test
  void runPrintsPromptAndContinuationAndTheSpeedsGoToStandardError() {
    Outcome run = ridgeline("run", "Once upon a time", "-n", "8", "--greedy");

    assertThat(run.status()).isZero();
    assertThat(run.out()).startsWith("Once upon a time").hasSizeGreaterThan(24);
    assertThat(run.err()).contains("tok/s").contains("% of this machine's limit");
    assertThat(run.err()).startsWith("memory: weights 22.0 MB + KV ").contains("; context 512, ");
  }

  @Test
  void whatSlowsARunDownIsSaidOnceAtItsStart() {
    String line = "slower than it could be: " + Degradation.SCALAR_FORMAT.text();
    Outcome slow = ridgeline("run", "x", "-n", "2", "--backend", "reference");

    assertThat(slow.status()).isZero();
    assertThat(slow.err().lines().skip(1).findFirst()).contains(line);
    assertThat(slow.err().lines().filter(line::equals)).hasSize(1);
    assertThat(ridgeline("doctor", "--format", "json").json().get("backends").toString())
        .contains("scalar_format");
  }

  @Test
  void partsOfCharactersAreShownAsTheirBytes() {
    Outcome text = ridgeline("tokenize", MODEL, "--text", "é😀", "--bos", "no");

    assertThat(text.out())
        .contains("'é'", "'<0xF0>'", "'<0x9F>'", "'<0x98>'", "'<0x80>'")
        .doesNotContain("\uFFFD");
  }

  @Test
  void runAsJsonGivesIdsTextReasonAndSpeeds() {
    JsonNode run =
        ridgeline("run", "Once upon a time", "-n", "8", "--greedy", "--format", "json").json();

    assertThat(ints(run.get("prompt_ids"))).containsExactly(1, 5024, 608, 261, 601);
    assertThat(run.get("ids").size()).isEqualTo(8);
    assertThat(run.get("text").asString()).isNotBlank();
    assertThat(run.get("finish_reason").asString()).isEqualTo("length");
    assertThat(run.get("decode_tokens_per_second").asDouble()).isPositive();
    assertThat(run.get("prompt_tokens_per_second").asDouble()).isPositive();
    assertThat(run.get("ttft_seconds").asDouble()).isPositive();
  }

  @Test
  void tokensAsPromptGiveWhatTheirTextGives() {
    JsonNode text =
        ridgeline("run", "Once upon a time", "-n", "8", "--greedy", "--format", "json").json();
    JsonNode ids =
        ridgeline(
                "run", "--tokens", "1,5024,608,261,601", "-n", "8", "--greedy", "--format", "json")
            .json();

    assertThat(ids.get("ids")).isEqualTo(text.get("ids"));
  }

  @Test
  void theSameSeedGivesTheSameText() {
    String[] args = {"run", "The", "-n", "12", "--seed", "7", "--format", "json"};

    assertThat(ridgeline(args).json().get("ids")).isEqualTo(ridgeline(args).json().get("ids"));
  }

  @Test
  void tokenizeGivesIdsAndPieces() {
    JsonNode json =
        ridgeline("tokenize", MODEL, "--text", "Once upon", "--bos", "no", "--format", "json")
            .json();

    assertThat(ints(json.get("ids"))).containsExactly(5024, 608);
    assertThat(json.get("pieces").get(1).asString()).isEqualTo(" upon");
  }

  @Test
  void logitsAreTheLargestFirstAndTheirProbabilitiesStayUnderOne() {
    JsonNode top =
        ridgeline("logits", MODEL, "--tokens", "1,5024,608", "--top", "5", "--format", "json")
            .json()
            .get("top");

    assertThat(top.size()).isEqualTo(5);
    assertThat(top.get(0).get("piece").asString()).isEqualTo(" a");
    double sum = 0;
    for (int i = 0; i < 5; i++) {
      sum += Math.exp(top.get(i).get("logprob").asDouble());
      assertThat(top.get(i).get("logit").asDouble())
          .isLessThanOrEqualTo(top.get(Math.max(0, i - 1)).get("logit").asDouble());
    }
    assertThat(sum).isBetween(0.5, 1.0);
  }

  @Test
  void templateRendersAConversation() throws IOException {
    Path template =
        Files.writeString(
            folder.resolve("t.jinja"),
            "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}");
    Path talk =
        Files.writeString(folder.resolve("c.json"), "[{\"role\": \"user\", \"content\": \"Hi\"}]");

    Outcome text = ridgeline("template", template.toString(), "--conversation", talk.toString());

    assertThat(text.out()).isEqualTo("<user>Hi\n<assistant>");
  }

  @Test
  void inspectTellsWhatIsInAFileAndWhatItTakes() {
    JsonNode json = ridgeline("inspect", MODEL, "--format", "json").json();

    assertThat(json.get("parameters").asLong()).isBetween(33_000_000L, 34_000_000L);
    assertThat(json.get("metadata").get("general.architecture").asString()).isEqualTo("llama");
    assertThat(json.get("memory_plan").get("total_bytes").asLong()).isGreaterThan(22_000_000);
  }

  @Test
  void benchPutsEachRowBesideItsLimit() {
    JsonNode json =
        ridgeline(
                "bench",
                MODEL,
                "-p",
                "16",
                "-n",
                "4",
                "-r",
                "2",
                "--warmup",
                "0",
                "--format",
                "json")
            .json();

    assertThat(json.get("results").size()).isEqualTo(2);
    JsonNode generate = json.get("results").get(1);
    assertThat(generate.get("generate_tokens").asInt()).isEqualTo(4);
    assertThat(generate.get("tokens_per_second").get("median").asDouble()).isPositive();
    assertThat(generate.get("bytes_per_token").asDouble()).isGreaterThan(20e6);
    assertThat(generate.get("share_of_limit").asDouble()).isPositive();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "run",
        "tokenize",
        "logits",
        "template",
        "inspect",
        "bench",
        "study",
        "report",
        "history",
        "doctor",
        "chat",
        "synth"
      })
  void everyCommandHasHelpWorthReading(String command) {
    Outcome help = ridgeline(command, "--help");

    assertThat(help.status()).isZero();
    assertThat(help.out()).contains("Usage: ridgeline " + command).hasSizeGreaterThan(300);
  }

  @Test
  void synthWritesAModelThatRunsAndNeverWritesOverAFile() {
    String file = folder.resolve("tiny.gguf").toString();

    assertThat(ridgeline("synth", "tiny-gemma3", "Q8_0", file).status()).isZero();
    assertThat(
            ridgeline("run", "Hi", "-m", file, "-n", "4", "--format", "json")
                .json()
                .get("ids")
                .size())
        .isBetween(1, 4);
    ridgeline("synth", "tiny-gemma3", "Q8_0", file).isRefusal("tiny.gguf", "--force");
    ridgeline("synth", "huge", "Q8_0", file).isRefusal("huge", "tiny-gemma3");
  }

  @Test
  void wrongUsageIsOneLineAndStatusTwo() {
    ridgeline("tokenize", MODEL).isRefusal("--text");
    ridgeline("run", "x", "--nonsense").isRefusal("--nonsense");
    ridgeline("run").isRefusal("no prompt");
    ridgeline("run", "x", "--temp", "-1").isRefusal("--temp", "-1");
    ridgeline("run", "x", "--top-p", "2").isRefusal("--top-p", "2");
    ridgeline("run", "x", "--backend", "gpu9").isRefusal("gpu9", "known");
    ridgeline("logits", MODEL, "--tokens", "999999").isRefusal("999999");
    ridgeline("run", "x", "-c", "100000000").isRefusal("does not fit");
    ridgeline("bench", MODEL, "-p", "0", "-n", "0").isRefusal("nothing to measure");
    ridgeline("run", "x", "--backend", "cpu", "--device", "3").isRefusal("--device", "found 3");
    ridgeline("run", "x", "--format", "csv").isRefusal("--format", "[TEXT, JSON]", "csv");
    ridgeline("history", "--format", "sql").isRefusal("--format", "sql");
    ridgeline("run", "x", "-n", "abc").isRefusal("expected a whole number, found 'abc'");
    ridgeline("run", "once", "upon").isRefusal("'upon'", "quotes");
  }

  @Test
  void anUnknownCommandIsNamedWithTheKnownOnes() {
    ridgeline("rnu", "x").isRefusal("unknown command 'rnu'", "run");
    ridgeline("frobnicate").isRefusal("unknown command 'frobnicate'");
  }

  @Test
  void withoutACommandTheUsageIsShown() {
    Outcome nothing = ridgeline();

    assertThat(nothing.status()).isEqualTo(2);
    assertThat(nothing.out()).isEmpty();
    assertThat(nothing.err()).contains("Usage: ridgeline", "chat", "For example:");
  }

  @Test
  void whatCannotBeAPromptIsRefusedBeforeAnythingIsPrinted() {
    Outcome longPrompt = ridgeline("run", "word ".repeat(20_000));
    assertThat(longPrompt.status()).isEqualTo(2);
    assertThat(longPrompt.out()).isEmpty();
    assertThat(longPrompt.err().lines().skip(1))
        .containsExactly(
            "ridgeline: prompt: expected 1 to 511 tokens, as the context is 512, found 20002");
    ridgeline("run", "x", "-t", "100000").isRefusal("--threads", "100000");
    ridgeline("run", "x", "-n", "-5").isRefusal("--max-tokens", "-5");
  }

  @Test
  void whatIsNoTextFileIsOneLineAndStatusTwo() throws IOException {
    Path bytes = Files.write(folder.resolve("bytes"), new byte[] {'a', (byte) 0xC3, 'b'});

    ridgeline("tokenize", MODEL, "--file", folder.toString()).isRefusal("is a folder");
    ridgeline("tokenize", MODEL, "--file", "/nowhere").isRefusal("/nowhere: no such file");
    ridgeline("tokenize", MODEL, "--file", bytes.toString()).isRefusal("bytes @ byte 1", "UTF-8");
    ridgeline("template", folder.toString(), "--conversation", "c.json").isRefusal("is a folder");
    ridgeline("synth", "tiny-llama", "Q8_0", "/nowhere/x.gguf")
        .isRefusal("/nowhere: no such folder");
  }

  @Test
  void aMissingOrBrokenFileIsOneLineAndStatusTwo() throws IOException {
    Path text = Files.writeString(folder.resolve("text.gguf"), "not a model");
    Path cut = folder.resolve("cut.gguf");
    Files.write(cut, java.util.Arrays.copyOf(Files.readAllBytes(Path.of(MODEL)), 1_000_000));

    ridgeline("inspect", "/nowhere/model.gguf").isRefusal("/nowhere/model.gguf");
    ridgeline("run", "x", "-m", text.toString()).isRefusal("text.gguf");
    ridgeline("run", "x", "-m", cut.toString()).isRefusal("cut.gguf", "byte");
    ridgeline("run", "x", "-m", folder.toString()).isRefusal(folder.toString());
  }
}
