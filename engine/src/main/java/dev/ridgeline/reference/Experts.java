package dev.ridgeline.reference;

import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Weight;

/** The ops of a mixture of experts, over the arrays of their values. */
final class Experts {
  private Experts() {}

  /** {@link Op.Route}: both routings are a softmax over the k largest logits. */
  static void route(Op.Route r, float[] logits, float[] out, int rows) {
    int experts = r.logits().width();
    for (int t = 0; t < rows; t++) {
      int from = t * experts;
      int to = t * 2 * r.k();
      for (int j = 0; j < r.k(); j++) {
        out[to + j] = largestBelow(logits, from, experts, out, to, j);
      }
      // A softmax over all experts, divided by the sum of the chosen ones, is the softmax over the
      // chosen ones: the sum over all cancels. Hence one formula for both.
      switch (r.routing()) {
        case SOFTMAX_NORMED, TOP_K_SOFTMAX -> {
          double max = logits[from + (int) out[to]];
          double sum = 0;
          for (int j = 0; j < r.k(); j++) {
            sum += Math.exp(logits[from + (int) out[to + j]] - max);
          }
          for (int j = 0; j < r.k(); j++) {
            out[to + r.k() + j] = (float) (Math.exp(logits[from + (int) out[to + j]] - max) / sum);
          }
        }
      }
    }
  }

  /** The expert with the largest logit that is not among the first {@code taken} of the route. */
  private static int largestBelow(
      float[] logits, int from, int experts, float[] route, int at, int taken) {
    int best = -1;
    for (int e = 0; e < experts; e++) {
      if (!contains(route, at, taken, e) && (best < 0 || logits[from + e] > logits[from + best])) {
        best = e;
      }
    }
    return best;
  }

  private static boolean contains(float[] route, int at, int n, int expert) {
    for (int j = 0; j < n; j++) {
      if ((int) route[at + j] == expert) {
        return true;
      }
    }
    return false;
  }

  /** {@link Op.ExpertMatMul}. */
  static void product(
      Op.ExpertMatMul m,
      BoundWeights weights,
      Scratch scratch,
      float[] x,
      float[] route,
      float[] out,
      int rows) {
    Weight w = m.weight();
    int k = m.route().width() / 2;
    int part = m.x().width() == w.cols() ? 0 : w.cols();
    for (int e = 0; e < w.experts(); e++) {
      if (!anyUses(route, k, rows, e)) {
        continue;
      }
      if (m.bias() != null) {
        weights.row(m.bias(), 0, e, scratch.row2);
      }
      for (int r = 0; r < w.rows(); r++) {
        weights.row(w, e, r, scratch.row);
        double shift = m.bias() == null ? 0 : scratch.row2[r];
        for (int t = 0; t < rows; t++) {
          for (int j = 0; j < k; j++) {
            if ((int) route[t * 2 * k + j] == e) {
              int from = t * m.x().width() + j * part;
              out[t * m.out().width() + j * w.rows() + r] =
                  (float) (ReferenceExecutable.dot(scratch.row, x, from, w.cols()) + shift);
            }
          }
        }
      }
    }
  }

  private static boolean anyUses(float[] route, int k, int rows, int expert) {
    for (int t = 0; t < rows; t++) {
      if (contains(route, t * 2 * k, k, expert)) {
        return true;
      }
    }
    return false;
  }

  /** {@link Op.ExpertSum}. */
  static void sum(Op.ExpertSum s, float[] x, float[] route, float[] out, int rows) {
    int k = s.route().width() / 2;
    int width = s.out().width();
    for (int t = 0; t < rows; t++) {
      for (int i = 0; i < width; i++) {
        double sum = 0;
        for (int j = 0; j < k; j++) {
          double weight = route[t * 2 * k + k + j];
          sum += weight * x[t * s.x().width() + j * width + i];
        }
        out[t * width + i] = (float) sum;
      }
    }
  }
}
