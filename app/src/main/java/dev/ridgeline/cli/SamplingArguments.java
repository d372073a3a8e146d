package dev.ridgeline.cli;

import dev.ridgeline.sampler.SamplingParams;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How tokens are chosen; names and defaults are llama.cpp's. */
final class SamplingArguments {
  private static final SamplingParams D = SamplingParams.DEFAULTS;
  private static final Pattern BIAS = Pattern.compile("(\\d+)([+-](?:inf|[0-9.]+))");

  @Option(names = "--greedy", description = "Always the most probable token.")
  private boolean greedy;

  @Option(
      names = "--temp",
      paramLabel = "X",
      description = "Temperature; 0 is greedy. Default: 0.8.")
  private float temperature = D.temperature();

  @Option(
      names = "--top-k",
      paramLabel = "N",
      description = "Keep the N best; 0 keeps all. Default: 40.")
  private int topK = D.topK();

  @Option(
      names = "--top-p",
      paramLabel = "X",
      description = "Keep the best that sum to X; 1 keeps all. Default: 0.95.")
  private float topP = D.topP();

  @Option(
      names = "--min-p",
      paramLabel = "X",
      description = "Keep those at least X times as probable as the best. Default: 0.05.")
  private float minP = D.minP();

  @Option(
      names = "--typical",
      paramLabel = "X",
      description = "Locally typical sampling; 1 is off. Default: 1.")
  private float typicalP = D.typicalP();

  @Option(
      names = "--repeat-last-n",
      paramLabel = "N",
      description = "Window of the penalties in tokens; -1 is everything. Default: 64.")
  private int repeatLastN = D.penalties().lastN();

  @Option(
      names = "--repeat-penalty",
      paramLabel = "X",
      description = "Divides the logits of repeated tokens; 1 is off. Default: 1.")
  private float repeatPenalty = D.penalties().repeat();

  @Option(
      names = "--frequency-penalty",
      paramLabel = "X",
      description = "Subtracted for each repeat. Default: 0.")
  private float frequencyPenalty = D.penalties().frequency();

  @Option(
      names = "--presence-penalty",
      paramLabel = "X",
      description = "Subtracted once. Default: 0.")
  private float presencePenalty = D.penalties().presence();

  @Option(
      names = "--dry-multiplier",
      paramLabel = "X",
      description = "DRY against repeated passages; 0 is off. Default: 0.")
  private float dryMultiplier = D.dry().multiplier();

  @Option(
      names = "--dry-base",
      paramLabel = "X",
      description = "Growth of DRY with the passage's length. Default: 1.75.")
  private float dryBase = D.dry().base();

  @Option(
      names = "--dry-allowed-length",
      paramLabel = "N",
      description = "Repeats shorter than this are free. Default: 2.")
  private int dryAllowedLength = D.dry().allowedLength();

  @Option(
      names = "--dry-penalty-last-n",
      paramLabel = "N",
      description = "Window of DRY in tokens; -1 is everything. Default: -1.")
  private int dryLastN = D.dry().lastN();

  @Option(
      names = "--dry-sequence-breaker",
      paramLabel = "T",
      description = "A text that ends a passage; repeatable.")
  private List<String> dryBreakers = D.dry().sequenceBreakers();

  @Option(
      names = "--xtc-probability",
      paramLabel = "X",
      description = "Chance to exclude the top choices. Default: 0.")
  private float xtcProbability = D.xtc().probability();

  @Option(
      names = "--xtc-threshold",
      paramLabel = "X",
      description = "What a top choice is. Default: 0.1.")
  private float xtcThreshold = D.xtc().threshold();

  @Option(
      names = "--mirostat",
      description = "Mirostat 2 instead of top-k, top-p, min-p, typical and XTC.")
  private boolean mirostat;

  @Option(
      names = "--mirostat-ent",
      paramLabel = "X",
      description = "Its target surprise, tau. Default: 5.")
  private float mirostatTau = 5;

  @Option(
      names = "--mirostat-lr",
      paramLabel = "X",
      description = "Its learning rate, eta. Default: 0.1.")
  private float mirostatEta = 0.1f;

  @Option(
      names = "--logit-bias",
      paramLabel = "ID+X",
      description = "Added to a token's logit, such as 15043+1, 29905-1 or 13-inf; repeatable.")
  private List<String> logitBias = List.of();

  @Option(
      names = {"-s", "--seed"},
      paramLabel = "N",
      description = "Seed of the draws. Default: a random one.")
  private @Nullable Long seed;

  SamplingParams params() {
    return new SamplingParams(
        greedy ? 0 : temperature,
        topK,
        topP,
        minP,
        typicalP,
        new SamplingParams.Penalties(repeatLastN, repeatPenalty, frequencyPenalty, presencePenalty),
        new SamplingParams.Dry(dryMultiplier, dryBase, dryAllowedLength, dryLastN, dryBreakers),
        new SamplingParams.Xtc(xtcProbability, xtcThreshold),
        mirostat ? new SamplingParams.Mirostat(mirostatTau, mirostatEta) : null,
        biases(),
        seed,
        -1);
  }

  private Map<Integer, Float> biases() {
    var biases = new HashMap<Integer, Float>();
    for (String text : logitBias) {
      Matcher m = BIAS.matcher(text);
      if (!m.matches()) {
        throw new Errors.InputException(
            "--logit-bias: expected a token id with its bias, such as 15043+1 or 13-inf, found '"
                + text
                + "'");
      }
      biases.put(Integer.valueOf(m.group(1)), Float.valueOf(m.group(2).replace("inf", "Infinity")));
    }
    return biases;
  }
}
