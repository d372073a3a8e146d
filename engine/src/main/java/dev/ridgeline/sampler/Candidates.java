package dev.ridgeline.sampler;

import java.util.Arrays;

/**
 * The tokens that may still be chosen, best first as far as anybody asked. A candidate is one long:
 * the inverted logit, made to compare as an integer, above the token id; so that the natural order
 * is by falling logit and, among equals, by rising id. Only the front that a filter reads is ever
 * sorted.
 */
final class Candidates {
  /** The first front that {@link #sortTo} makes; each later one is eight times as long. */
  private static final int FIRST_FRONT = 256;

  /** Up to here a heap beside one pass over the logits beats making keys of them all. */
  private static final int HEAP_LIMIT = 4096;

  private final long[] keys;
  private int from;
  private int to;
  private int sorted;

  Candidates(int vocabularySize) {
    keys = new long[vocabularySize];
  }

  int size() {
    return to - from;
  }

  /** Token id of candidate {@code i}. */
  int id(int i) {
    return (int) keys[from + i];
  }

  /** Its logit. */
  float logit(int i) {
    return logitOf(keys[from + i]);
  }

  /** Makes candidates of all tokens whose logit is above negative infinity. */
  void all(float[] logits) {
    int n = 0;
    for (int id = 0; id < logits.length; id++) {
      float logit = logits[id];
      if (logit > Float.NEGATIVE_INFINITY) {
        keys[n++] = key(logit, id);
      }
      checkNumber(logit, id);
    }
    from = 0;
    to = n;
    sorted = 0;
  }

  /** Makes candidates of the {@code k} best tokens, sorted. */
  void top(float[] logits, int k) {
    if (k > HEAP_LIMIT || k >= logits.length) {
      all(logits);
      keepFirst(Math.min(k, size()));
      return;
    }
    int n = 0;
    float worst = Float.NEGATIVE_INFINITY;
    for (int id = 0; id < logits.length; id++) {
      float logit = logits[id];
      if (logit <= worst) { // an equal logit loses: ids rise
        continue;
      }
      checkNumber(logit, id);
      if (n < k) {
        keys[n++] = key(logit, id);
        if (n < k) {
          continue;
        }
        heapify(0, k);
      } else {
        siftDown(0, 0, k, key(logit, id));
      }
      worst = logitOf(keys[0]);
    }
    Arrays.sort(keys, 0, n);
    from = 0;
    to = n;
    sorted = n;
  }

  /**
   * Makes candidates of the {@code k} best of {@code count} tokens, sorted.
   *
   * @return whether there were as many
   */
  boolean top(int[] ids, float[] logits, int count, int k) {
    for (int i = 0; i < count; i++) {
      keys[i] = key(logits[i], ids[i]);
    }
    Arrays.sort(keys, 0, count);
    from = 0;
    to = Math.min(count, k);
    sorted = to;
    return count >= k;
  }

  /** Keeps the best {@code n}, sorted. */
  void keepFirst(int n) {
    sortTo(n);
    to = from + n;
  }

  /** Drops the best {@code n}. */
  void dropFirst(int n) {
    sortTo(n);
    from += n;
    sorted -= n;
  }

  /** The largest logit. */
  float largest() {
    sortTo(1);
    return logit(0);
  }

  /** Sum of {@code exp((logit - largest) / temperature)}. */
  double totalWeight(float temperature) {
    double largest = largest();
    double scale = 1.0 / temperature;
    double sum = 0;
    for (int i = 0; i < size(); i++) {
      sum += Exp.exp((logit(i) - largest) * scale);
    }
    return sum;
  }

  /** Keeps the best until their probabilities reach {@code p}: at least one. */
  void topP(float p) {
    double target = p * totalWeight(1);
    double largest = largest();
    double sum = 0;
    for (int i = 0; i < size(); i++) {
      sortTo(i + 1);
      sum += Exp.exp(logit(i) - largest);
      if (sum >= target) {
        keepFirst(i + 1);
        return;
      }
    }
  }

  /** Keeps those whose logit is at least {@code smallest}; the best one always. */
  void atLeast(double smallest) {
    sortTo(1);
    int n = 1;
    while (n < size()) {
      sortTo(n + 1);
      if (logit(n) < smallest) {
        break;
      }
      n++;
    }
    keepFirst(n);
  }

  /** See {@link SamplingParams#typicalP()}; {@code logits} are those the candidates came from. */
  void typical(float p, float[] logits) {
    double largest = largest();
    double total = totalWeight(1);
    double logTotal = StrictMath.log(total);
    double entropy = 0;
    for (int i = 0; i < size(); i++) {
      double logWeight = logit(i) - largest;
      entropy += Exp.exp(logWeight) / total * (logTotal - logWeight);
    }
    for (int i = from; i < to; i++) {
      int id = (int) keys[i];
      double surprise = logTotal - (logits[id] - largest);
      keys[i] = key((float) -Math.abs(surprise - entropy), id); // nearest to the entropy first
    }
    sorted = 0;
    double sum = 0;
    int n = 0;
    while (n < size() && sum <= p * total) {
      sortTo(n + 1);
      sum += Exp.exp(logits[id(n)] - largest);
      n++;
    }
    keepFirst(n);
    for (int i = from; i < to; i++) {
      int id = (int) keys[i];
      keys[i] = key(logits[id], id);
    }
    sorted = 0;
  }

  /** How many of the best have a probability of at least {@code p}. */
  int countAtLeast(double p) {
    double smallest = p * totalWeight(1);
    double largest = largest();
    int n = 0;
    while (n < size()) {
      sortTo(n + 1);
      if (Exp.exp(logit(n) - largest) < smallest) {
        break;
      }
      n++;
    }
    return n;
  }

  /** The candidate at which the running sum of weights passes {@code u} of the total. */
  int draw(double u, float temperature) {
    double target = u * totalWeight(temperature);
    double largest = largest();
    double scale = 1.0 / temperature;
    double sum = 0;
    for (int i = 0; i < size(); i++) {
      sum += Exp.exp((logit(i) - largest) * scale);
      if (sum > target) {
        return i;
      }
    }
    return size() - 1; // u rounded up to the total
  }

  /** Makes the first {@code n} candidates the best {@code n}, in order. */
  private void sortTo(int n) {
    if (n <= sorted) {
      return;
    }
    if (n == 1) { // often nobody asks for more than the largest
      int best = from;
      for (int i = from + 1; i < to; i++) {
        best = keys[i] < keys[best] ? i : best;
      }
      swap(from, best);
      sorted = 1;
      return;
    }
    int base = from + sorted;
    sorted = Math.min(size(), Math.max(n, Math.max(FIRST_FRONT, 8 * sorted)));
    int end = from + sorted;
    if (end < to) {
      selectBest(base, end);
    }
    Arrays.sort(keys, base, end);
  }

  /** Brings the smallest keys of {@code [base, to)} into {@code [base, end)}. */
  private void selectBest(int base, int end) {
    int n = end - base;
    heapify(base, n);
    long worst = keys[base];
    for (int i = end; i < to; i++) {
      long key = keys[i];
      if (key < worst) {
        keys[i] = worst;
        siftDown(base, 0, n, key);
        worst = keys[base];
      }
    }
  }

  /** Makes a heap, largest key first, of {@code n} keys. */
  private void heapify(int base, int n) {
    for (int i = n / 2 - 1; i >= 0; i--) {
      siftDown(base, i, n, keys[base + i]);
    }
  }

  private void siftDown(int base, int start, int n, long key) {
    int i = start;
    for (int child = 2 * i + 1; child < n; child = 2 * i + 1) {
      if (child + 1 < n && keys[base + child + 1] > keys[base + child]) {
        child++;
      }
      if (keys[base + child] <= key) {
        break;
      }
      keys[base + i] = keys[base + child];
      i = child;
    }
    keys[base + i] = key;
  }

  private void swap(int i, int j) {
    long key = keys[i];
    keys[i] = keys[j];
    keys[j] = key;
  }

  private static long key(float logit, int id) {
    int bits = Float.floatToRawIntBits(logit + 0.0f); // -0 becomes 0, so that they tie
    return (long) ~(bits ^ ((bits >> 31) & 0x7FFFFFFF)) << 32 | id;
  }

  private static float logitOf(long key) {
    int bits = ~(int) (key >> 32);
    return Float.intBitsToFloat(bits ^ ((bits >> 31) & 0x7FFFFFFF));
  }

  private static void checkNumber(float logit, int id) {
    if (Float.isNaN(logit) || logit == Float.POSITIVE_INFINITY) {
      throw new IllegalStateException("the logit of token " + id + " is " + logit);
    }
  }
}
