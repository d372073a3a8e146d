package dev.ridgeline.sampler;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The sampling chain as its definitions read, over boxed lists with full sorts: what {@link
 * Candidates} and {@link Sampler} are compared with.
 */
final class BruteForce {
  private BruteForce() {}

  /** A token that is still possible. */
  record Token(int id, double logit) {}

  /** Best first; among equals the lower id first. */
  static final Comparator<Token> ORDER =
      Comparator.comparingDouble(Token::logit).reversed().thenComparingInt(Token::id);

  static List<Token> tokens(float[] logits) {
    var all = new ArrayList<Token>();
    for (int id = 0; id < logits.length; id++) {
      if (logits[id] > Float.NEGATIVE_INFINITY) {
        all.add(new Token(id, logits[id] + 0.0)); // -0 becomes 0
      }
    }
    all.sort(ORDER);
    return all;
  }

  static double[] softmax(List<Token> tokens, double temperature) {
    double max = tokens.stream().mapToDouble(Token::logit).max().orElseThrow();
    double[] p =
        tokens.stream().mapToDouble(t -> Math.exp((t.logit - max) / temperature)).toArray();
    double sum = 0;
    for (double x : p) {
      sum += x;
    }
    for (int i = 0; i < p.length; i++) {
      p[i] /= sum;
    }
    return p;
  }

  static List<Token> topK(List<Token> tokens, int k) {
    return k <= 0 ? tokens : tokens.subList(0, Math.min(k, tokens.size()));
  }

  static List<Token> topP(List<Token> tokens, double p) {
    double[] probabilities = softmax(tokens, 1);
    double sum = 0;
    for (int i = 0; i < probabilities.length; i++) {
      sum += probabilities[i];
      if (sum >= p) {
        return tokens.subList(0, i + 1);
      }
    }
    return tokens;
  }

  static List<Token> minP(List<Token> tokens, double p) {
    double[] probabilities = softmax(tokens, 1);
    var kept = new ArrayList<Token>();
    for (int i = 0; i < probabilities.length; i++) {
      if (probabilities[i] >= p * probabilities[0]) {
        kept.add(tokens.get(i));
      }
    }
    return kept;
  }

  static List<Token> typical(List<Token> tokens, double p) {
    double[] probabilities = softmax(tokens, 1);
    double entropy = 0;
    for (double x : probabilities) {
      entropy -= x == 0 ? 0 : x * Math.log(x);
    }
    double h = entropy;
    var order = new ArrayList<Integer>();
    for (int i = 0; i < probabilities.length; i++) {
      order.add(i);
    }
    order.sort(Comparator.comparingDouble(i -> Math.abs(-Math.log(probabilities[i]) - h)));
    var kept = new ArrayList<Token>();
    double sum = 0;
    for (int i : order) {
      if (sum > p) {
        break;
      }
      kept.add(tokens.get(i));
      sum += probabilities[i];
    }
    kept.sort(ORDER);
    return kept;
  }

  static List<Token> xtc(List<Token> tokens, double threshold) {
    double[] probabilities = softmax(tokens, 1);
    int choices = 0;
    while (choices < probabilities.length && probabilities[choices] >= threshold) {
      choices++;
    }
    return tokens.subList(Math.max(0, choices - 1), tokens.size());
  }

  /** Probability of each token after the whole chain, XTC weighed by its own probability. */
  static Map<Integer, Double> distribution(SamplingParams p, float[] logits) {
    List<Token> kept = topK(tokens(logits), p.topK());
    kept = p.typicalP() < 1 ? typical(kept, p.typicalP()) : kept;
    kept = p.topP() < 1 ? topP(kept, p.topP()) : kept;
    kept = p.minP() > 0 ? minP(kept, p.minP()) : kept;
    double chance = p.xtc().active() ? p.xtc().probability() : 0;
    var result = new TreeMap<Integer, Double>();
    add(result, kept, p.temperature(), 1 - chance);
    add(result, xtc(kept, p.xtc().threshold()), p.temperature(), chance);
    return result;
  }

  private static void add(
      Map<Integer, Double> into, List<Token> tokens, double temperature, double share) {
    double[] probabilities = softmax(tokens, temperature);
    for (int i = 0; i < probabilities.length; i++) {
      into.merge(tokens.get(i).id(), share * probabilities[i], Double::sum);
    }
  }

  /** Longest repeat that {@code next} would continue: the text's last n tokens seen before it. */
  static int repeatLength(int[] tokens, int next) {
    int longest = 0;
    for (int at = 1; at < tokens.length; at++) {
      if (tokens[at] != next) {
        continue;
      }
      int n = 0;
      while (n < at && tokens[at - 1 - n] == tokens[tokens.length - 1 - n]) {
        n++;
      }
      longest = Math.max(longest, n);
    }
    return longest;
  }
}
