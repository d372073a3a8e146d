package dev.ridgeline.cpu.vector;

import static java.util.Objects.requireNonNull;

import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.Step;
import dev.ridgeline.backend.StepCheck;
import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.cpu.kernel.RowAttention;
import dev.ridgeline.cpu.kernel.RowKernel;

/**
 * Attention of one layer by a {@link RowAttention}, which reads keys and values where they lie:
 * lists the tiles that a few rows see and finishes what comes back. Every row, a query head of a
 * token, is computed by itself: its result depends on nothing else in the step.
 */
public final class DirectAttention {
  /** Tiles of one call of machine code: tens of microseconds. */
  private static final int MAX_TILES = 64;

  private static final int TILE = RowAttention.TILE;
  private static final long TILES_AT = RowAttention.FRAME_BYTES;
  private static final long RESULTS_AT = TILES_AT + MAX_TILES * RowAttention.TILE_BYTES;
  private static final int MOST_ROWS = 16;

  private final RowAttention code;
  private final RowKernel rows;
  private final KvLayout layout;
  private final long storage;
  private final int group;
  private final float scale;
  private final long sinks;

  /**
   * @param storage address of the layer's blocks
   * @param group query heads of a KV head
   * @param sinks address of float32 {@code [headCount]}, or 0
   */
  public DirectAttention(
      RowAttention code,
      RowKernel rows,
      KvLayout layout,
      long storage,
      int group,
      float scale,
      long sinks) {
    this.code = code;
    this.rows = rows;
    this.layout = layout;
    this.storage = storage;
    this.group = group;
    this.scale = scale;
    this.sinks = sinks;
  }

  /** Whether there is code for such keys and values. */
  public static boolean suits(KvLayout layout, float softCap) {
    return layout.type() == KvType.F16 && layout.grouped() && softCap == 0;
  }

  /** Rows of a step that one call takes. */
  public int tokensPerCall() {
    return Math.max(1, MOST_ROWS / group);
  }

  /** Bytes of scratch that a call needs, for values of {@code valueDim} elements. */
  public static long scratchBytes(int valueDim) {
    return RESULTS_AT + MOST_ROWS * resultBytes(valueDim);
  }

  private static long resultBytes(int valueDim) {
    return 64 + 4L * valueDim;
  }

  /** Computes {@code out} of part {@code part} of {@code parts} of the call's tokens and heads. */
  public void attend(AttentionCall call, int part, int parts) {
    int pairs = call.rows * group;
    int end = pairs * (part + 1) / parts;
    for (int pair = pairs * part / parts; pair < end; pair += code.maxRows()) {
      attendRows(call, pair, Math.min(code.maxRows(), end - pair));
    }
  }

  private void attendRows(AttentionCall call, int pair, int rows) {
    Step step = requireNonNull(call.step);
    int window = layout.layer().window();
    long frame = call.scratch;
    int from = Integer.MAX_VALUE;
    int to = 0;
    for (int r = 0; r < rows; r++) {
      int position = step.position(call.row + (pair + r) / group);
      int visible = StepCheck.firstVisible(position, window);
      from = Math.min(from, visible);
      to = Math.max(to, position + 1);
      long row = frame + RowAttention.ROWS + (long) RowAttention.ROW_BYTES * r;
      long query = call.q + 4L * layout.layer().keyDim() * queryIndex(call, pair + r);
      Memory.i64(row + RowAttention.ROW_QUERY, query);
      Memory.i64(row + RowAttention.ROW_RESULT, result(call, r));
      Memory.i32(row + RowAttention.ROW_FROM, visible);
      Memory.i32(row + RowAttention.ROW_TO, position);
    }
    Memory.i64(frame + RowAttention.TILES, frame + TILES_AT);
    Memory.i64(frame + RowAttention.KEY_STRIDE, 2L * layout.blockTokens());
    Memory.i64(frame + RowAttention.KEY_DIM, layout.layer().keyDim());
    Memory.f32(frame + RowAttention.SCALE, scale);
    int begin = from & -TILE;
    for (int first = begin; first < to; first += MAX_TILES * TILE) {
      Memory.i64(frame + RowAttention.FIRST, first);
      Memory.i64(frame + RowAttention.RESUME, first - begin);
      Memory.i64(frame + RowAttention.TILE_COUNT, tiles(call, first, from, to));
      code.attend(frame, rows);
    }
    for (int r = 0; r < rows; r++) {
      finish(call, pair + r, result(call, r));
    }
  }

  /** Lists the tiles from {@code first} on of positions {@code from} to {@code to}. */
  private int tiles(AttentionCall call, int first, int from, int to) {
    int count = 0;
    for (int at = first; at < to && count < MAX_TILES; at += TILE) {
      int block = call.blocks[at / layout.blockTokens()];
      int slot = at % layout.blockTokens();
      int begin = Math.max(from - at, 0);
      long valueBytes = 2L * layout.layer().valueDim();
      long tile = call.scratch + TILES_AT + (long) count * RowAttention.TILE_BYTES;
      Memory.i64(tile, layout.keys(storage, block, call.head) + 2L * slot);
      Memory.i64(tile + 8, layout.values(storage, block, call.head) + (slot + begin) * valueBytes);
      Memory.i64(tile + 16, begin);
      Memory.i64(tile + 24, Math.min(to - at, TILE));
      count++;
    }
    return count;
  }

  private long result(AttentionCall call, int r) {
    return call.scratch + RESULTS_AT + r * resultBytes(layout.layer().valueDim());
  }

  /** Divides the sums by the denominator, sinks included. */
  private void finish(AttentionCall call, int pair, long result) {
    int valueDim = layout.layer().valueDim();
    float denominator = Memory.f32(result + 4);
    if (sinks != 0) {
      float sink = Memory.f32(sinks + 4L * (call.head * group + pair % group));
      denominator += (float) Math.exp(sink - Memory.f32(result));
    }
    long out = call.out + 4L * valueDim * queryIndex(call, pair);
    rows.scale(result + 64, 1 / denominator, out, valueDim);
  }

  /** Which query head of which token pair {@code pair} of the call is. */
  private long queryIndex(AttentionCall call, int pair) {
    int headCount = group * layout.layer().headCountKv();
    return (long) (call.row + pair / group) * headCount + (long) call.head * group + pair % group;
  }
}
