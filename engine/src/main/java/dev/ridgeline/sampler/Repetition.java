package dev.ridgeline.sampler;

import dev.ridgeline.sampler.SamplingParams.Dry;
import dev.ridgeline.sampler.SamplingParams.Penalties;

/**
 * Penalties against tokens and passages that are already there. They read the tokens of the
 * sequence anew each time, so that a sequence that was rolled back or computed again needs no
 * repair.
 */
final class Repetition {
  private final int[] ofToken;
  private int[] matchLengths = new int[0];

  Repetition(int vocabularySize) {
    ofToken = new int[vocabularySize];
  }

  /** Applies {@code p}, given the tokens {@code [0, count)}. */
  void penalize(Penalties p, int[] tokens, int count, float[] logits) {
    int first = windowStart(p.lastN(), count);
    for (int i = first; i < count; i++) {
      ofToken[tokens[i]]++;
    }
    for (int i = first; i < count; i++) {
      int id = tokens[i];
      int occurrences = ofToken[id];
      if (occurrences > 0) { // the first visit; later ones find 0
        ofToken[id] = 0;
        float logit = logits[id];
        logit = logit > 0 ? logit / p.repeat() : logit * p.repeat();
        logits[id] = logit - occurrences * p.frequency() - p.presence();
      }
    }
  }

  /** Applies {@code dry}, given the tokens {@code [0, count)}. */
  void penalize(Dry dry, SequenceBreakers breakers, int[] tokens, int count, float[] logits) {
    int first = windowStart(dry.lastN(), count);
    int limit = sinceBreaker(breakers, tokens, first, count);
    if (count - first <= dry.allowedLength() || limit < dry.allowedLength()) {
      return;
    }
    matchSuffix(tokens, first, count);
    for (int i = first; i < count - 1; i++) {
      int next = tokens[i + 1];
      int length = Math.min(matchLengths[i - first], limit);
      ofToken[next] = Math.max(ofToken[next], length);
    }
    for (int i = first + 1; i < count; i++) {
      int id = tokens[i];
      int length = ofToken[id];
      ofToken[id] = 0;
      if (length >= dry.allowedLength() && !breakers.isBreaker(id)) {
        logits[id] -= strength(dry, length - dry.allowedLength());
      }
    }
  }

  private static int windowStart(int lastN, int count) {
    return lastN < 0 ? 0 : Math.max(0, count - lastN);
  }

  /** {@code multiplier * base^excess}, kept finite. */
  private static float strength(Dry dry, int excess) {
    double penalty = dry.multiplier() * StrictMath.pow(dry.base(), excess);
    return (float) Math.min(penalty, Float.MAX_VALUE / 4);
  }

  /** Tokens after the last breaker in {@code [first, count)}; all of them if there is none. */
  private static int sinceBreaker(SequenceBreakers breakers, int[] tokens, int first, int count) {
    for (int at = count - 1; at >= first; at--) {
      int tail = breakers.longestTail(tokens, at, count);
      if (tail >= 0) {
        return count - 1 - at - tail;
      }
    }
    return count - first;
  }

  /**
   * {@code matchLengths[i - first]} = how many tokens ending at i equal those that end the text:
   * the Z-algorithm (Gusfield 1997) from the end backwards, linear in the window.
   */
  private void matchSuffix(int[] tokens, int first, int count) {
    int n = count - first;
    if (matchLengths.length < n) {
      matchLengths = new int[Math.max(n, 2 * matchLengths.length)];
    }
    int last = count - 1;
    int boxStart = 0; // distances [boxStart, boxEnd) from the end match the text's own end
    int boxEnd = 0;
    for (int d = 1; d < n; d++) {
      int length = 0;
      if (d < boxEnd) {
        length = Math.min(boxEnd - d, matchLengths[n - 1 - (d - boxStart)]);
      }
      while (d + length < n && tokens[last - length] == tokens[last - d - length]) {
        length++;
      }
      matchLengths[n - 1 - d] = length;
      if (d + length > boxEnd) {
        boxStart = d;
        boxEnd = d + length;
      }
    }
  }
}
