package dev.ridgeline.quantize.block;

import static dev.ridgeline.quantize.block.Batch.LANES;

import dev.ridgeline.tensor.DType;
import org.jspecify.annotations.Nullable;

/**
 * Encodes as many blocks at once as a batch holds: each block one lane, or one for each sub-block.
 */
abstract class BatchEncoder implements BlockEncoder {
  final DType type;
  final Batch batch;
  private final int lanes;

  /**
   * @param lanes of a block
   * @param elements of a lane
   */
  BatchEncoder(DType type, int lanes, int elements) {
    this.type = type;
    this.lanes = lanes;
    batch = new Batch(elements);
  }

  @Override
  public final void encode(
      float[] x, float @Nullable [] importance, int n, byte[] dst, int dstOffset) {
    int at = dstOffset;
    for (int i = 0; i < n; i += batch.n * LANES) {
      int count = Math.min(batch.n * LANES, n - i);
      batch.load(x, i, count, importance);
      fit();
      for (int lane = 0; lane * batch.n < count; lane += lanes) {
        pack(lane, dst, at);
        at += type.blockBytes();
      }
    }
  }

  /** For {@link WarmUp}. */
  final void fitRamp() {
    batch.loadRamp();
    fit();
  }

  /** Chooses scales and levels for the whole batch. */
  abstract void fit();

  /** Writes the block whose first lane is {@code lane}. */
  abstract void pack(int lane, byte[] dst, int at);
}
