package dev.ridgeline.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.sampler.BruteForce.Token;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Every filter keeps what its definition keeps, in the order of the definition. */
class CandidatesTest {
  /** Logits with many exact ties, some forbidden tokens, and both zeros. */
  private static float[] logits(int seed, int size) {
    var random = new Random(seed);
    float coarse = random.nextBoolean() ? 4 : 1e6f;
    var logits = new float[size];
    for (int i = 0; i < size; i++) {
      logits[i] = Math.round(random.nextGaussian() * 3 * coarse) / coarse;
      if (random.nextInt(10) == 0) {
        logits[i] = random.nextBoolean() ? Float.NEGATIVE_INFINITY : -0.0f;
      }
    }
    logits[random.nextInt(size)] = 0;
    return logits;
  }

  private static List<Token> kept(Candidates candidates) {
    var tokens = new ArrayList<Token>();
    for (int i = 0; i < candidates.size(); i++) {
      tokens.add(new Token(candidates.id(i), candidates.logit(i)));
    }
    return tokens;
  }

  private static List<Token> inOrder(List<Token> tokens) {
    return tokens.stream().sorted(BruteForce.ORDER).toList();
  }

  private static Candidates all(float[] logits) {
    var candidates = new Candidates(logits.length);
    candidates.all(logits);
    return candidates;
  }

  @Property(tries = 300)
  void topKeepsTheLargestInOrder(
      @ForAll int seed,
      @ForAll @IntRange(min = 1, max = 6000) int size,
      @ForAll @IntRange(min = 1, max = 7000) int k) {
    float[] logits = logits(seed, size);
    var candidates = new Candidates(size);
    candidates.top(logits, k);
    assertThat(kept(candidates)).isEqualTo(inOrder(BruteForce.topK(BruteForce.tokens(logits), k)));
  }

  @Property(tries = 300)
  void topPKeepsTheSmallestSetThatReachesIt(
      @ForAll int seed,
      @ForAll @IntRange(min = 1, max = 6000) int size,
      @ForAll @IntRange(min = 0, max = 999) int perMille) {
    float[] logits = logits(seed, size);
    Candidates candidates = all(logits);
    candidates.topP(perMille / 1000f);
    assertThat(kept(candidates))
        .isEqualTo(inOrder(BruteForce.topP(BruteForce.tokens(logits), perMille / 1000f)));
  }

  @Property(tries = 300)
  void atLeastKeepsWhatMinPKeeps(
      @ForAll int seed,
      @ForAll @IntRange(min = 1, max = 6000) int size,
      @ForAll @IntRange(min = 1, max = 1000) int perMille) {
    float[] logits = logits(seed, size);
    Candidates candidates = all(logits);
    candidates.atLeast(candidates.largest() + StrictMath.log(perMille / 1000f));
    assertThat(kept(candidates))
        .isEqualTo(inOrder(BruteForce.minP(BruteForce.tokens(logits), perMille / 1000f)));
  }

  @Property(tries = 300)
  void typicalKeepsTheTokensNearestToTheEntropy(
      @ForAll int seed,
      @ForAll @IntRange(min = 1, max = 3000) int size,
      @ForAll @IntRange(min = 0, max = 999) int perMille) {
    var random = new Random(seed);
    var logits = new float[size];
    for (int i = 0; i < size; i++) {
      logits[i] = (float) random.nextGaussian() * 3; // no ties: their order is not defined
    }
    Candidates candidates = all(logits);
    candidates.typical(perMille / 1000f, logits);
    assertThat(inOrder(kept(candidates)))
        .isEqualTo(inOrder(BruteForce.typical(BruteForce.tokens(logits), perMille / 1000f)));
  }

  @Property(tries = 300)
  void droppingTheTopChoicesKeepsWhatXtcKeeps(
      @ForAll int seed,
      @ForAll @IntRange(min = 1, max = 300) int size,
      @ForAll @IntRange(min = 1, max = 500) int perMille) {
    float[] logits = logits(seed, size);
    Candidates candidates = all(logits);
    candidates.dropFirst(Math.max(0, candidates.countAtLeast(perMille / 1000f) - 1));
    assertThat(inOrder(kept(candidates)))
        .isEqualTo(inOrder(BruteForce.xtc(BruteForce.tokens(logits), perMille / 1000f)));
  }

  @Test
  void notANumberIsRefusedByNameOfItsToken() {
    float[] logits = {1, 2, Float.NaN, 3};
    var candidates = new Candidates(4);
    assertThatThrownBy(() -> candidates.all(logits)).hasMessage("the logit of token 2 is NaN");
    assertThatThrownBy(() -> candidates.top(logits, 1)).hasMessage("the logit of token 2 is NaN");
    logits[2] = Float.POSITIVE_INFINITY;
    assertThatThrownBy(() -> candidates.all(logits)).hasMessage("the logit of token 2 is Infinity");
  }

  @Property(tries = 2000)
  void exponentialsAreRightToElevenDigits(
      @ForAll @IntRange(min = -700_000, max = 0) int thousandths) {
    double x = thousandths / 1000.0;
    double expected = StrictMath.exp(x);
    assertThat(Math.abs(Exp.exp(x) - expected)).isLessThanOrEqualTo(2e-12 * expected);
  }

  @Test
  void exponentialsOfExtremesAreExact() {
    assertThat(Exp.exp(0)).isEqualTo(1);
    assertThat(Exp.exp(-1e9)).isZero();
    assertThat(Exp.exp(Double.NEGATIVE_INFINITY)).isZero();
  }
}
