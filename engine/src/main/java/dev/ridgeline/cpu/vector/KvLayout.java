package dev.ridgeline.cpu.vector;

import dev.ridgeline.backend.KvType;
import dev.ridgeline.graph.KvLayer;

/**
 * Where the keys and values of one layer lie. A KV block holds, for each KV head, its keys and then
 * its values. Keys are stored transposed, {@code [keyDim][blockTokens]}, so that a vector holds one
 * element of neighbouring tokens; values as {@code [blockTokens][valueDim]}. Q8_0 keeps codes in
 * these orders and after them a float16 scale for each 32 elements of a token: {@code [keyDim /
 * 32][blockTokens]} and {@code [blockTokens][valueDim / 32]}.
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

  /** Whether tokens can be read {@link #GROUP} at a time; one by one otherwise. */
  boolean grouped() {
    return blockTokens % GROUP == 0;
  }

  /** Bytes of the codes of one head's keys. */
  long keyCodeBytes() {
    return (long) elementBytes() * layer.keyDim() * blockTokens;
  }

  /** Bytes of the codes of one head's values. */
  long valueCodeBytes() {
    return (long) elementBytes() * layer.valueDim() * blockTokens;
  }

  private int elementBytes() {
    return type == KvType.F16 ? 2 : 1;
  }

  private long scaleBytes(int dim) {
    return type == KvType.F16 ? 0 : 2L * dim / SCALE_ELEMENTS * blockTokens;
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
}
