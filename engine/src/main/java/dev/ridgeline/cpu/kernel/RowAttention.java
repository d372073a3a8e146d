package dev.ridgeline.cpu.kernel;

/**
 * Attention of a few rows, each one query head of one token, to stored tokens of one KV head, with
 * an online softmax: 16 stored tokens at a time, which begin at multiples of 16, so that a row's
 * result does not depend on the others. Keys and values are float16 as the KV layout keeps them.
 *
 * <p>Arguments stand in a frame in memory, 64-bit fields unless said otherwise. A row's result is
 * float32: the maximum, the denominator, 14 unused, and the sums over the value's elements.
 */
public interface RowAttention {
  /** Stored tokens of a tile. */
  int TILE = 16;

  /** Address of the tiles, {@link #TILE_BYTES} each. */
  int TILES = 0;

  /** Tiles, at least one. */
  int TILE_COUNT = 8;

  /** Position of the first token of the first tile. */
  int FIRST = 16;

  /** Bytes from an element of the keys to the next. */
  int KEY_STRIDE = 24;

  /** Elements of a key. */
  int KEY_DIM = 32;

  /** Float32 that scores are multiplied with. */
  int SCALE = 40;

  /** Whether results are continued rather than begun. */
  int RESUME = 48;

  /** Where the rows begin, {@link #ROW_BYTES} each. */
  int ROWS = 64;

  int ROW_BYTES = 32;

  /** Of a row: address of its float32 query. */
  int ROW_QUERY = 0;

  /** Of a row: address of its result, aligned to 64. */
  int ROW_RESULT = 8;

  /** Of a row: int32, the first position it sees. */
  int ROW_FROM = 16;

  /** Of a row: int32, the last position it sees. */
  int ROW_TO = 20;

  /** Bytes of a frame. */
  int FRAME_BYTES = 512;

  /** Of a tile: addresses of its keys and values, then the first token to read and the end. */
  int TILE_BYTES = 32;

  /** Most rows of one call. */
  int maxRows();

  /** Attends with {@code rows} rows. */
  void attend(long frame, int rows);
}
