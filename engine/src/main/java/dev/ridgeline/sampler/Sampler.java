package dev.ridgeline.sampler;

import static dev.ridgeline.sampler.InvalidParameterException.require;

import dev.ridgeline.sampler.SamplingParams.Mirostat;
import java.util.Arrays;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the tokens of one request. A choice is a function of the parameters, the seed, the logits
 * and the tokens before it; only mirostat and a {@link TokenMask} remember anything beyond that.
 * Allocates nothing per token unless log-probabilities are wanted. Not thread-safe.
 */
public final class Sampler {
  private static final int DRAW_STREAM = 0;
  private static final int XTC_STREAM = 1;

  /**
   * A device does not know of forbidden tokens: the ends of a text make few of its guesses wrong.
   */
  private static final int FEW_FORBIDDEN = 16;

  private final SamplingParams params;
  private final long seed;
  private final SequenceBreakers breakers;
  private final @Nullable TokenMask mask;
  private final int[] biasedIds;
  private final float[] biases;
  private final boolean greedy;
  private final boolean topOnly;
  private final @Nullable Draw draw;
  private double mirostatMu;
  private @Nullable Logprobs logprobs;

  /**
   * @param params what to do; its seed is not read
   * @param seed of the draws
   * @param vocabularySize width of the rows of logits
   * @param breakers what {@link SamplingParams.Dry#sequenceBreakers()} mean in this vocabulary
   * @param mask a constraint, or null
   */
  public Sampler(
      SamplingParams params,
      long seed,
      int vocabularySize,
      SequenceBreakers breakers,
      @Nullable TokenMask mask) {
    this.params = params;
    this.seed = seed;
    this.breakers = breakers;
    this.mask = mask;
    Mirostat mirostat = params.mirostat();
    mirostatMu = mirostat == null ? 0 : 2 * mirostat.tau();
    var sorted = new TreeMap<>(params.logitBias());
    biasedIds = new int[sorted.size()];
    biases = new float[sorted.size()];
    int i = 0;
    for (var bias : sorted.entrySet()) {
      int id = bias.getKey();
      require(id < vocabularySize, "logitBias", "token ids below " + vocabularySize, id);
      biasedIds[i] = id;
      biases[i++] = bias.getValue();
    }
    boolean plain =
        mask == null
            && params.topLogprobs() < 0
            && !params.penalties().active()
            && !params.dry().active();
    var bias = params.logitBias().values();
    greedy = plain && params.temperature() == 0 && bias.stream().allMatch(b -> b <= 0);
    topOnly =
        plain
            && params.temperature() != 0
            && params.topK() > 0
            && mirostat == null
            && params.typicalP() >= 1
            && bias.stream().allMatch(b -> b == Float.NEGATIVE_INFINITY);
    draw =
        topOnly && biases.length <= FEW_FORBIDDEN && !params.xtc().active()
            ? new Draw(params.temperature(), params.topK(), params.topP(), params.minP())
            : null;
    require(
        params.topLogprobs() <= vocabularySize,
        "topLogprobs",
        "at most " + vocabularySize,
        params.topLogprobs());
  }

  /**
   * The id of the next token.
   *
   * @param logits of the position; overwritten
   * @param tokens of the sequence so far, in {@code [0, count)}
   * @throws IllegalStateException if a logit is not a number or no token is possible
   */
  public int sample(float[] logits, int[] tokens, int count, SamplerScratch scratch) {
    boolean wantLogprobs = params.topLogprobs() >= 0;
    float[] raw = wantLogprobs ? scratch.copy(logits) : logits;
    adjust(logits, tokens, count, scratch.repetition);
    int token = choose(logits, count, scratch.candidates);
    if (mask != null) {
      mask.accept(token);
    }
    logprobs = wantLogprobs ? logprobs(raw, token, scratch.candidates) : null;
    return token;
  }

  /**
   * Whether the choice is the largest logit, whatever came before, unless its token has a bias; see
   * {@link #takes}. Then nobody needs the other logits.
   */
  public boolean isGreedy() {
    return greedy;
  }

  /**
   * Whether the choice needs no more than the {@code most} largest logits, as far as can be told
   * before tokens that are forbidden are left out; see {@link #sampleTop}.
   */
  public boolean needsTopOnly(int most) {
    return topOnly && params.topK() <= most;
  }

  /**
   * The id of the next token, from the largest logits alone: the same that {@link #sample} gives.
   *
   * @param ids tokens that have them, in any order
   * @param logits of these
   * @param count how many there are; both are overwritten
   * @param position tokens of the sequence so far
   * @return -1 if too many of them are forbidden
   */
  public int sampleTop(int[] ids, float[] logits, int count, int position, SamplerScratch scratch) {
    int n = 0;
    for (int i = 0; i < count; i++) {
      if (takes(ids[i])) {
        ids[n] = ids[i];
        logits[n++] = logits[i];
      }
    }
    Candidates candidates = scratch.candidates;
    return candidates.top(ids, logits, n, params.topK()) ? draw(candidates, logits, position) : -1;
  }

  /**
   * How a device can guess the choice from the {@code most} largest logits; null if it cannot. Its
   * random number is {@link #uniform}.
   */
  public @Nullable Draw draw(int most) {
    return draw != null && draw.topK() <= most ? draw : null;
  }

  /** The random number by which the token after {@code position} tokens is drawn. */
  public double uniform(int position) {
    return CounterRng.uniform(seed, position, DRAW_STREAM);
  }

  /** Whether a greedy choice is {@code largest}, the token with the largest logit. */
  public boolean takes(int largest) {
    return Arrays.binarySearch(biasedIds, largest) < 0;
  }

  /** Log-probabilities of the token sampled last; null if none were asked for. */
  public @Nullable Logprobs logprobs() {
    return logprobs;
  }

  private void adjust(float[] logits, int[] tokens, int count, Repetition repetition) {
    if (mask != null) {
      mask.mask(logits);
    }
    for (int i = 0; i < biasedIds.length; i++) {
      logits[biasedIds[i]] += biases[i];
    }
    if (params.penalties().active()) {
      repetition.penalize(params.penalties(), tokens, count, logits);
    }
    if (params.dry().active()) {
      repetition.penalize(params.dry(), breakers, tokens, count, logits);
    }
  }

  private int choose(float[] logits, int position, Candidates candidates) {
    Mirostat mirostat = params.mirostat();
    boolean greedy = params.temperature() == 0;
    if (greedy) {
      candidates.top(logits, 1);
    } else if (mirostat == null && params.topK() > 0) {
      candidates.top(logits, params.topK());
    } else {
      candidates.all(logits);
    }
    if (candidates.size() == 0) {
      throw new IllegalStateException(
          "no token is possible: the constraint and the logit bias forbid all of them");
    }
    if (greedy) {
      return candidates.id(0);
    }
    return mirostat == null
        ? draw(candidates, logits, position)
        : mirostat(mirostat, candidates, uniform(position));
  }

  private int draw(Candidates candidates, float[] logits, int position) {
    truncate(candidates, logits, position);
    double u = uniform(position);
    return candidates.id(candidates.draw(u, params.temperature()));
  }

  private void truncate(Candidates candidates, float[] logits, int position) {
    if (params.typicalP() < 1) {
      candidates.typical(params.typicalP(), logits);
    }
    if (params.topP() < 1) {
      candidates.topP(params.topP());
    }
    if (params.minP() > 0) {
      candidates.atLeast(candidates.largest() + StrictMath.log(params.minP()));
    }
    if (params.xtc().active()
        && CounterRng.uniform(seed, position, XTC_STREAM) < params.xtc().probability()) {
      int choices = candidates.countAtLeast(params.xtc().threshold());
      if (choices > 1) {
        candidates.dropFirst(choices - 1);
      }
    }
  }

  private int mirostat(Mirostat mirostat, Candidates candidates, double u) {
    float temperature = params.temperature();
    double logTotal = StrictMath.log(candidates.totalWeight(temperature));
    // -log2 p <= mu, with ln p = (logit - largest) / temperature - logTotal
    double smallest = (logTotal - mirostatMu * StrictMath.log(2)) * temperature;
    candidates.atLeast(candidates.largest() + smallest);
    int chosen = candidates.draw(u, temperature);
    double logWeight = (candidates.logit(chosen) - candidates.largest()) / temperature;
    double surprise =
        (StrictMath.log(candidates.totalWeight(temperature)) - logWeight) / StrictMath.log(2);
    mirostatMu -= mirostat.eta() * (surprise - mirostat.tau());
    return candidates.id(chosen);
  }

  private Logprobs logprobs(float[] raw, int token, Candidates candidates) {
    candidates.all(raw);
    double largest = candidates.largest();
    double logTotal = StrictMath.log(candidates.totalWeight(1));
    int n = Math.min(params.topLogprobs(), candidates.size());
    candidates.keepFirst(n);
    var ids = new int[n];
    var top = new float[n];
    for (int i = 0; i < n; i++) {
      ids[i] = candidates.id(i);
      top[i] = (float) (candidates.logit(i) - largest - logTotal);
    }
    return new Logprobs((float) (raw[token] - largest - logTotal), ids, top);
  }
}
