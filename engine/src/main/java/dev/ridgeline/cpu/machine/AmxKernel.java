package dev.ridgeline.cpu.machine;

import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.cpu.kernel.ProductCall;
import dev.ridgeline.cpu.kernel.ProductKernel;
import dev.ridgeline.tensor.DType;

/**
 * Products of many tokens by AMX: weights are decoded to bfloat16, 32 rows at a time, and
 * multiplied with activations rounded to bfloat16, summed in float32; see {@link AmxBand}. F16
 * weights are kept exactly, in two parts, and BF16 weights as they are; their activations keep 16
 * bits.
 */
final class AmxKernel implements ProductKernel {
  /** Tokens of one pass: more take their sums out of the level-2 cache. */
  private static final int SLICE_TOKENS = 2048;

  /** Activations that stay in the level-2 cache while all rows pass by. */
  private static final long RESIDENT_BYTES = 1 << 20;

  private final DType type;
  private final AmxPacking packing;
  private final NativeCode band;

  AmxKernel(DType type, AmxPacking packing) {
    this.type = type;
    this.packing = packing;
    band = NativeCode.install("amx_" + type, new AmxBand(type, packing.parts()).emit());
  }

  /** Parts of an activation that weights of {@code type} are multiplied with. */
  static int activationParts(DType type) {
    return type.isQuantized() ? 1 : 2;
  }

  @Override
  public String name() {
    return "amx " + type;
  }

  @Override
  public DType type() {
    return type;
  }

  @Override
  public int minTokens() {
    return 1;
  }

  @Override
  public int maxTokens() {
    return Integer.MAX_VALUE;
  }

  @Override
  public AmxPacking packing() {
    return packing;
  }

  @Override
  public int rowUnit() {
    return Band.ROWS;
  }

  @Override
  public long scratchBytes(int cols) {
    return AmxBand.frameBytes(SLICE_TOKENS);
  }

  @Override
  public void multiply(ProductCall call) {
    int steps = AmxPacking.steps(call.cols);
    for (int token = 0; token < call.tokens; token += SLICE_TOKENS) {
      int tokens = Math.min(SLICE_TOKENS, call.tokens - token);
      int resident = residentSteps(tokens);
      for (int step = 0; step < steps; step += resident) {
        multiply(call, token, tokens, step, Math.min(resident, steps - step));
      }
    }
  }

  /** Steps, whole chunks, whose activations fit into {@link #RESIDENT_BYTES}. */
  private int residentSteps(int tokens) {
    long bytesOfChunk = AmxPacking.tokenStride(packing.parts()) * AmxPacking.tiles(tokens);
    long chunks = Math.max(1, RESIDENT_BYTES / bytesOfChunk);
    return Math.toIntExact(chunks) * AmxPacking.chunkSteps(packing.parts());
  }

  /** All rows, some tokens, the columns of some steps: whole chunks, but for the last. */
  private void multiply(ProductCall call, int token, int tokens, int step, int steps) {
    long activations =
        call.packed
            + packing.offset(call.tokens, step)
            + (long) token / AmxPacking.TOKENS * AmxPacking.tokenStride(packing.parts());
    int tiles = AmxPacking.tiles(tokens);
    for (int row = 0; row < call.rows; row += Band.ROWS) {
      Band.weights(call, type, row, step, steps, (tiles + 1) / 2);
      Band.tokens(call, row, token, tokens, activations);
      Memory.i64(call.scratch + AmxBand.TOKEN_TILES, tiles);
      band.call(call.scratch, 0, 0, 0, 0, 0);
    }
  }
}
