package dev.ridgeline.cpu.vector;

import dev.ridgeline.backend.KvType;
import dev.ridgeline.graph.KvLayer;

/**
 * Where the keys and values of one layer lie. A KV block holds, for each KV head, its keys and then
 * its values. {@code slots} places for {@code blockTokens} tokens, rounded up to {@link #GROUP};
 * keys are stored transposed, {@code [keyDim][slots]}, so that a vector holds one element of
 * neighbouring tokens; values as {@code [slots][valueStride]}. Q8_0 keeps codes in these orders and
 * after them a float16 scale for each 32 elements of a token: {@code [keyDim / 32][slots]} and
 * {@code [slots][valueDim / 32]}.
 */
public record KvLayout(KvLayer layer, KvType type, int blockTokens) {
  /** Tokens that are read together: the lanes of the widest vector. */
  public static final int GROUP = 16;

  /** Elements that share a scale in Q8_0. */
  static final int SCALE_ELEMENTS = 32;

  /** Checks that the heads suit the element type. */
  public KvLayout {
    if (type == KvType.Q8_0
        && (layer.keyDim() % SCALE_ELEMENTS != 0 || layer.valueDim() % SCALE_ELEMENTS != 0)) {
      throw new IllegalArgumentException(
          "KV type Q8_0 needs heads of a multiple of %d elements; keys have %d, values %d: use F16"
              .formatted(SCALE_ELEMENTS, layer.keyDim(), layer.valueDim()));
    }
  }

  /** Places for tokens in a block. */
  int slots() {
    return roundUp(blockTokens);
  }

  /** Elements from a token's values to the next token's. */
  int valueStride() {
    return type == KvType.F16 ? roundUp(layer.valueDim()) : layer.valueDim();
  }

  /** Bytes of the codes of one head's keys. */
  long keyCodeBytes() {
    return (long) elementBytes() * layer.keyDim() * slots();
  }

  /** Bytes of the codes of one head's values. */
  long valueCodeBytes() {
    return (long) elementBytes() * valueStride() * slots();
  }

  private int elementBytes() {
    return type == KvType.F16 ? 2 : 1;
  }

  private long scaleBytes(int dim) {
    return type == KvType.F16 ? 0 : 2L * dim / SCALE_ELEMENTS * slots();
  }

  private long keyBytes() {
    return keyCodeBytes() + scaleBytes(layer.keyDim());
  }

  private long headBytes() {
    return keyBytes() + valueCodeBytes() + scaleBytes(layer.valueDim());
  }

  /** Bytes of one KV block of this layer. */
  public long blockBytes() {
    return headBytes() * layer.headCountKv();
  }

  /** Address of the keys of {@code head} in block {@code block} of the layer's storage. */
  long keys(long storage, int block, int head) {
    return storage + block * blockBytes() + head * headBytes();
  }

  /** Address of the values. */
  long values(long storage, int block, int head) {
    return keys(storage, block, head) + keyBytes();
  }

  /** Place of position {@code position} when blocks are laid side by side with all their slots. */
  int lane(int position) {
    return position / blockTokens * slots() + position % blockTokens;
  }

  /** The inverse of {@link #lane}; {@link Integer#MAX_VALUE} for a slot that no token uses. */
  int position(int lane) {
    int slot = lane % slots();
    return slot < blockTokens ? lane / slots() * blockTokens + slot : Integer.MAX_VALUE;
  }

  private static int roundUp(int n) {
    return (n + GROUP - 1) & -GROUP;
  }
}
