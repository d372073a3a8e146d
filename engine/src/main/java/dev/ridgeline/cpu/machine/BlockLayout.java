package dev.ridgeline.cpu.machine;

import dev.ridgeline.tensor.DType;

/**
 * How the bits of a quantized format lie in a row, for a packer that handles 16 rows as vectors of
 * 32-bit words: where a word's four levels come from, and which value level 0 has.
 *
 * <p>Elements are taken in groups of 32, each of two halves; {@code value = scale * (level - zero)
 * - minimum}, with levels of 0 to 255 so that they can be the unsigned side of {@code vpdpbusd}.
 *
 * @param type a quantized format
 */
record BlockLayout(DType type) {
  /** Elements of a group. */
  static final int GROUP = 32;

  /**
   * Bits of 16 consecutive elements, one to a byte: {@code bytes[offset + i] >> shift & mask}; a
   * negative shift is to the left. Mask 0 means that there are none.
   */
  record Plane(int offset, int shift, int mask) {
    static final Plane NONE = new Plane(0, 0, 0);
  }

  BlockLayout {
    if (!type.isQuantized()) {
      throw new IllegalArgumentException(type + " has no blocks");
    }
  }

  /** Groups of 32 elements in a block. */
  int groups() {
    return type.blockElements() / GROUP;
  }

  /** Sub-blocks with a scale of their own in a group: 1 or 2. */
  int scalesPerGroup() {
    return switch (type) {
      case Q2_K, Q3_K, Q6_K -> 2;
      default -> 1;
    };
  }

  /** Whether sub-blocks have a minimum besides their scale. */
  boolean hasMinimums() {
    return switch (type) {
      case Q4_1, Q5_1, Q2_K, Q4_K, Q5_K -> true;
      default -> false;
    };
  }

  /** The level that stands for 0 is 2 to this power; only without minimums. */
  int zeroShift() {
    return switch (type) {
      case Q3_K -> 2;
      case Q4_0 -> 3;
      case Q5_0, MXFP4 -> 4;
      case Q6_K -> 5;
      case Q8_0, IQ4_NL, IQ4_XS -> 7;
      default -> throw new IllegalStateException(type + " has minimums");
    };
  }

  /** The values behind 4-bit indices, or an empty array where levels are evenly spaced. */
  int[] codebook() {
    return switch (type) {
      case IQ4_NL, IQ4_XS ->
          new int[] {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
      case MXFP4 -> new int[] {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
      default -> new int[0];
    };
  }

  /** Whether each element has a fifth bit, in a 32-bit word of its own for each block. */
  boolean hasFifthBits() {
    return type == DType.Q5_0 || type == DType.Q5_1;
  }

  /** Where the low bits of a half of group {@code g} lie. */
  Plane low(int g, int half) {
    int h = 16 * half;
    int quarter = g % 4;
    return switch (type) {
      case Q4_0, Q4_1, Q5_0, Q5_1, IQ4_NL, MXFP4 ->
          new Plane(type.blockBytes() - 16, 4 * half, 0x0F);
      case Q8_0 -> new Plane(2 + h, 0, 0xFF);
      case IQ4_XS -> new Plane(8 + 16 * g, 4 * half, 0x0F);
      case Q2_K -> new Plane(16 + 32 * (g / 4) + h, 2 * quarter, 0x03);
      case Q3_K -> new Plane(32 + 32 * (g / 4) + h, 2 * quarter, 0x03);
      case Q4_K -> new Plane(16 + 32 * (g / 2) + h, 4 * (g % 2), 0x0F);
      case Q5_K -> new Plane(48 + 32 * (g / 2) + h, 4 * (g % 2), 0x0F);
      case Q6_K -> new Plane(64 * (g / 4) + 32 * (g % 2) + h, 4 * (quarter / 2), 0x0F);
      default -> throw new IllegalStateException(type + " has no planes");
    };
  }

  /** Where its high bits lie, shifted to where they stand in a level. */
  Plane high(int g, int half) {
    int h = 16 * half;
    return switch (type) {
      case Q3_K -> new Plane(h, g - 2, 0x04);
      case Q5_K -> new Plane(16 + h, g - 4, 0x10);
      case Q6_K -> new Plane(128 + 32 * (g / 4) + h, 2 * (g % 4) - 4, 0x30);
      default -> Plane.NONE;
    };
  }

  // A packed group of 16 rows: levels, four columns of each row to a 64-byte line; then a line of
  // float32 scales for each sub-block, and one of minimums.

  /** Bytes before a tile's groups; the last eight are an address for {@link TileDot} to fetch. */
  static final int HEADER_BYTES = 64;

  /**
   * Lines that the product fetches from memory a group, of those that 16 rows' groups take; taking
   * them apart fetches the others. Both take about as long, and memory wants an even stream: 0.91
   * instead of 0.80 of the speed of only reading, on two threads of Zen 5.
   */
  int linesFetchedByDot() {
    return fetchLines(1) * 2 / 5;
  }

  /** Cache lines that so many groups of 16 rows take, rounded up. */
  int fetchLines(int groups) {
    return (TilePacker.ROWS * type.blockBytes() * groups / groups() + 63) / 64;
  }

  /** Bytes from a packed group to the next. */
  int packedBytes() {
    return scaleAt(0) + 64 * scalesPerGroup() * (hasMinimums() ? 2 : 1);
  }

  /** Where the line of columns {@code 4 i} to {@code 4 i + 3} is. */
  static int levelsAt(int i) {
    return 64 * i;
  }

  /** Where the line of scales of sub-block {@code s} of the group is. */
  static int scaleAt(int s) {
    return 512 + 64 * s;
  }

  /** Where the line of minimums of sub-block {@code s} of the group is. */
  int minimumAt(int s) {
    return scaleAt(scalesPerGroup() + s);
  }
}
