package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.vector.KvLayout.GROUP;
import static java.util.Objects.requireNonNull;

import dev.ridgeline.backend.Step;
import dev.ridgeline.backend.StepCheck;
import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.graph.KvLayer;

/**
 * Attention of one layer with an online softmax (Milakov and Gimelshein 2018; Dao et al. 2022): no
 * score matrix, only tiles of {@link #LANES} stored tokens, which begin at multiples of as many: a
 * token's result does not depend on those that stand beside it in a call. All query heads of a KV
 * head and several tokens make the rows of two small float32 products, {@code S = Q K^T} and {@code
 * O += P V}, so that every key and value read and converted serves all of them.
 */
public final class AttentionKernel {
  /** Stored tokens of a tile. */
  private static final int LANES = 128;

  private static final int MAX_ROWS = 32;

  /** Room for two vectors. */
  private static final long SUM_BYTES = 128;

  /** Floats before the sums of a row of results: maximum, denominator, and up to a cache line. */
  private static final int RESULT_HEAD = 16;

  private final KvStore store;
  private final KvLayout layout;
  private final KvLayer layer;
  private final int group;
  private final float scale;
  private final float softCap;
  private final long sinks;
  private final int outWidth;
  private final int maxRows;
  private final int chunks;
  private final long resultStride;

  /**
   * @param group query heads of a KV head
   * @param sinks address of float32 {@code [headCount]}, or 0
   */
  public AttentionKernel(KvStore store, int group, float scale, float softCap, long sinks) {
    this.store = store;
    this.layout = store.layout();
    this.layer = layout.layer();
    this.group = group;
    this.scale = scale;
    this.softCap = softCap;
    this.sinks = sinks;
    this.outWidth = outWidth(layer);
    this.maxRows = maxRows(group);
    this.chunks = chunks(layer);
    this.resultStride = resultStride(layer);
  }

  private static int outWidth(KvLayer layer) {
    return (layer.valueDim() + Gemm.PANEL - 1) & -Gemm.PANEL;
  }

  private static int maxRows(int group) {
    return Math.max(1, MAX_ROWS / group) * group;
  }

  private static int chunks(KvLayer layer) {
    return (layer.keyDim() + Gemm.K - 1) / Gemm.K;
  }

  /** Rows of a step that one call takes. */
  public int tokensPerCall() {
    return maxRows / group;
  }

  /** Stored tokens that are looked at together: splitting fewer over threads is pointless. */
  public static int tileTokens() {
    return LANES;
  }

  /** Ranges of stored tokens begin and end at multiples of this. */
  public static int splitUnit() {
    return GROUP;
  }

  /** Bytes of scratch that a call needs. */
  public static long scratchBytes(KvLayer layer, int group) {
    long rows = maxRows(group);
    return SUM_BYTES
        + rows * Gemm.A_STRIDE * (chunks(layer) + 1)
        + 4L * LANES * (chunks(layer) * Gemm.K + outWidth(layer))
        + partialBytes(layer, group);
  }

  /** Bytes of a partial result. */
  public static long partialBytes(KvLayer layer, int group) {
    return maxRows(group) * resultStride(layer);
  }

  private static long resultStride(KvLayer layer) {
    return 4L * (outWidth(layer) + RESULT_HEAD);
  }

  /** First position that row {@code row} can see, rounded down to a group. */
  public int fromPosition(Step step, int row) {
    return StepCheck.firstVisible(step.position(row), layer.window()) & -GROUP;
  }

  /** The position after the last one that row {@code row} can see, rounded up to a group. */
  public static int toPosition(Step step, int row) {
    return (step.position(row) + GROUP) & -GROUP;
  }

  /** Computes {@code out} of the call's rows and heads, or a partial result. */
  public void attend(AttentionCall call) {
    loadQueries(call);
    int next;
    for (int first = call.from; first < call.to; first = next) {
      next = Math.min((first / LANES + 1) * LANES, call.to);
      int lanes = next - first;
      loadTile(call, first, lanes);
      multiplyKeys(call, lanes);
      for (int r = 0; r < call.rows * group; r++) {
        weigh(call, r, first, lanes);
      }
      Gemm.multiply(
          scores(call),
          call.rows * group,
          lanes,
          values(call),
          outWidth / Gemm.PANEL,
          results(call) + 4 * RESULT_HEAD,
          resultStride);
    }
    if (call.partial == 0) {
      finish(call, results(call));
    }
  }

  private static long queries(AttentionCall call) {
    return call.scratch + SUM_BYTES;
  }

  /** Two vectors. */
  private static long sums(AttentionCall call) {
    return call.scratch;
  }

  private long scores(AttentionCall call) {
    return queries(call) + (long) maxRows * Gemm.A_STRIDE * chunks;
  }

  private long keys(AttentionCall call) {
    return scores(call) + (long) maxRows * Gemm.A_STRIDE;
  }

  private long values(AttentionCall call) {
    return keys(call) + 4L * LANES * Gemm.K * chunks;
  }

  private long results(AttentionCall call) {
    return call.partial != 0 ? call.partial : values(call) + 4L * LANES * outWidth;
  }

  /** Copies the scaled queries to rows of the first product and clears their results. */
  private void loadQueries(AttentionCall call) {
    int keyDim = layer.keyDim();
    for (int r = 0; r < call.rows * group; r++) {
      long from = call.q + 4L * keyDim * queryIndex(call, r);
      for (int d = 0; d < keyDim; d++) {
        long to = queries(call) + (long) (d / Gemm.K * maxRows + r) * Gemm.A_STRIDE;
        Memory.f32(to + 4L * (d % Gemm.K), Memory.f32(from + 4L * d) * scale);
      }
      long result = results(call) + r * resultStride;
      Memory.zero(result, resultStride);
      Memory.f32(result, Float.NEGATIVE_INFINITY);
    }
  }

  /**
   * Row r of a call is query head {@code head * group + r % group} of token {@code row + r /
   * group}.
   */
  private long queryIndex(AttentionCall call, int r) {
    int headCount = group * layer.headCountKv();
    return (long) (call.row + r / group) * headCount + (long) call.head * group + r % group;
  }

  /** Converts the keys and values of {@code lanes} positions from {@code first} on. */
  private void loadTile(AttentionCall call, int first, int lanes) {
    Step step = requireNonNull(call.step);
    int begin = StepCheck.firstVisible(step.position(call.row), layer.window());
    int end = step.position(call.row + call.rows - 1) + 1;
    long valuePanelBytes = (long) lanes * Gemm.PANEL_BYTES;
    int unit = layout.grouped() ? GROUP : 1;
    for (int i = 0; i < lanes; i += unit) {
      int position = first + i;
      int used = Math.clamp(end - position, 0, unit);
      if (position + unit <= begin) {
        used = 0;
      }
      long values = values(call) + (long) i * Gemm.PANEL_BYTES;
      if (used > 0) {
        int block = call.blocks[position / layout.blockTokens()];
        int slot = position % layout.blockTokens();
        loadKeys(call, block, slot, i);
        store.readValues(block, slot, call.head, used, values, valuePanelBytes);
      }
      // Weights of hidden tokens are 0, but 0 times a stale infinity would not be.
      for (int panel = 0; panel < outWidth / Gemm.PANEL; panel++) {
        Memory.zero(
            values + panel * valuePanelBytes + (long) used * Gemm.PANEL_BYTES,
            (long) (unit - used) * Gemm.PANEL_BYTES);
      }
    }
  }

  private void loadKeys(AttentionCall call, int block, int slot, int lane) {
    for (int from = 0; from < layer.keyDim(); from += Gemm.K) {
      int count = Math.min(Gemm.K, layer.keyDim() - from);
      long panelBytes = (long) count * Gemm.PANEL_BYTES;
      long panels = keys(call) + 4L * LANES * from;
      long to = panels + lane / Gemm.PANEL * panelBytes + lane % Gemm.PANEL * 4L;
      if (layout.grouped()) {
        store.readKeys(block, slot, call.head, from, count, to, panelBytes);
      } else {
        store.readKey(block, slot, call.head, from, count, to);
      }
    }
  }

  private void multiplyKeys(AttentionCall call, int lanes) {
    int rows = call.rows * group;
    int panels = (lanes + Gemm.PANEL - 1) / Gemm.PANEL;
    for (int r = 0; r < rows; r++) {
      Memory.zero(scores(call) + (long) r * Gemm.A_STRIDE, (long) panels * Gemm.PANEL_BYTES);
    }
    for (int c = 0; c < chunks; c++) {
      int count = Math.min(Gemm.K, layer.keyDim() - c * Gemm.K);
      Gemm.multiply(
          queries(call) + (long) c * maxRows * Gemm.A_STRIDE,
          rows,
          count,
          keys(call) + 4L * LANES * c * Gemm.K,
          panels,
          scores(call),
          Gemm.A_STRIDE);
    }
  }

  /** Turns a row of scores into weights {@code exp(s - max)} and brings its results to that max. */
  private void weigh(AttentionCall call, int r, int first, int lanes) {
    long row = scores(call) + (long) r * Gemm.A_STRIDE;
    long result = results(call) + r * resultStride;
    int position = requireNonNull(call.step).position(call.row + r / group);
    int visible = StepCheck.firstVisible(position, layer.window());
    if (softCap > 0) {
      Rows.softCap(row, softCap, row, lanes);
    }
    float oldMax = Memory.f32(result);
    float max = Math.max(oldMax, maskedMax(row, visible - first, position - first, lanes));
    if (max == Float.NEGATIVE_INFINITY) {
      Memory.zero(row, 4L * lanes);
      return;
    }
    float factor = (float) Math.exp(oldMax - max);
    if (factor != 1) {
      Rows.scale(result + 4 * RESULT_HEAD, factor, result + 4 * RESULT_HEAD, outWidth);
    }
    Exp.exponentials(row, max, lanes, sums(call));
    float sum = Exp.total(sums(call));
    Memory.f32(result, max);
    Memory.f32(result + 4, Memory.f32(result + 4) * factor + sum);
  }

  /** Sets all but lanes {@code from} to {@code to} to minus infinity; the maximum of the rest. */
  private static float maskedMax(long row, int from, int to, int lanes) {
    for (int i = 0; i < from && i < lanes; i++) {
      Memory.f32(row + 4L * i, Float.NEGATIVE_INFINITY);
    }
    for (int i = Math.max(0, to + 1); i < lanes; i++) {
      Memory.f32(row + 4L * i, Float.NEGATIVE_INFINITY);
    }
    return Rows.max(row, lanes);
  }

  /**
   * Merges {@code splits} partial results that stand one after the other and writes {@code out}.
   */
  public void merge(AttentionCall call, long partials, int splits) {
    long partialBytes = maxRows * resultStride;
    for (int r = 0; r < call.rows * group; r++) {
      long into = partials + r * resultStride;
      for (int s = 1; s < splits; s++) {
        mergeRow(into, into + s * partialBytes);
      }
    }
    finish(call, partials);
  }

  private void mergeRow(long into, long other) {
    float max = Math.max(Memory.f32(into), Memory.f32(other));
    if (max == Float.NEGATIVE_INFINITY) {
      return;
    }
    float keep = (float) Math.exp(Memory.f32(into) - max);
    float take = (float) Math.exp(Memory.f32(other) - max);
    Memory.f32(into, max);
    Memory.f32(into + 4, Memory.f32(into + 4) * keep + Memory.f32(other + 4) * take);
    long sums = into + 4 * RESULT_HEAD;
    Rows.scale(sums, keep, sums, outWidth);
    Rows.add(sums, other + 4 * RESULT_HEAD, take, sums, outWidth);
  }

  /** Divides the sums by the denominators, sinks included. */
  private void finish(AttentionCall call, long results) {
    int valueDim = layer.valueDim();
    for (int r = 0; r < call.rows * group; r++) {
      long result = results + r * resultStride;
      float denominator = Memory.f32(result + 4);
      if (sinks != 0) {
        float sink = Memory.f32(sinks + 4L * (call.head * group + r % group));
        denominator += (float) Math.exp(sink - Memory.f32(result));
      }
      long sums = result + 4 * RESULT_HEAD;
      Rows.scale(sums, 1 / denominator, sums, outWidth);
      Memory.copy(sums, call.out + 4L * valueDim * queryIndex(call, r), 4L * valueDim);
    }
  }
}
