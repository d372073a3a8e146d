package dev.ridgeline.quantize.block;

import static dev.ridgeline.quantize.block.Batch.LANES;

/**
 * Levels of a batch to the bytes of a block of 256; the layouts are documented in {@code quant}. A
 * level is at {@code q[16 i + lane]}, i its place in the sub-block.
 */
final class SuperBlockBits {
  private SuperBlockBits() {}

  /**
   * Two low bits of 256 elements, sub-blocks of 16: byte 32 h + j holds elements 128 h + j + 32 p.
   */
  static void putTwoBits(int[] q, byte[] dst, int at) {
    for (int h = 0; h < 2; h++) {
      for (int j = 0; j < 32; j++) {
        int from = LANES * (j % 16) + 8 * h + j / 16;
        int bits = 0;
        for (int p = 0; p < 4; p++) {
          bits |= (q[from + 2 * p] & 3) << (2 * p);
        }
        dst[at + 32 * h + j] = (byte) bits;
      }
    }
  }

  /** Third bit of 256 elements, sub-blocks of 16: bit p of byte j is that of element j + 32 p. */
  static void putThirdBits(int[] q, byte[] dst, int at) {
    for (int j = 0; j < 32; j++) {
      int from = LANES * (j % 16) + j / 16;
      int bits = 0;
      for (int p = 0; p < 8; p++) {
        bits |= (q[from + 2 * p] >> 2 & 1) << p;
      }
      dst[at + j] = (byte) bits;
    }
  }

  /** Low four bits of 256 elements, sub-blocks of 32 from {@code lane} on. */
  static void putNibbles(int[] q, int lane, byte[] dst, int at) {
    for (int k = 0; k < 4; k++) {
      int from = lane + 2 * k;
      for (int i = 0; i < 32; i++) {
        int low = q[LANES * i + from] & 15;
        dst[at + 32 * k + i] = (byte) (low | q[LANES * i + from + 1] << 4);
      }
    }
  }

  /**
   * Fifth bit of 256 elements, sub-blocks of 32: bit j of byte i is that of element i of block j.
   */
  static void putFifthBits(int[] q, int lane, byte[] dst, int at) {
    for (int i = 0; i < 32; i++) {
      int bits = 0;
      for (int j = 0; j < 8; j++) {
        bits |= (q[LANES * i + lane + j] >> 4 & 1) << j;
      }
      dst[at + i] = (byte) bits;
    }
  }

  /** Eight scales and eight minimums of six bits. */
  static void putScalesAndMins(float[] ls, float[] lm, int lane, byte[] dst, int at) {
    for (int j = 0; j < 4; j++) {
      int scale = (int) ls[lane + j];
      int min = (int) lm[lane + j];
      int scale4 = (int) ls[lane + j + 4];
      int min4 = (int) lm[lane + j + 4];
      dst[at + j] = (byte) (scale | scale4 >> 4 << 6);
      dst[at + j + 4] = (byte) (min | min4 >> 4 << 6);
      dst[at + j + 8] = (byte) (scale4 & 15 | (min4 & 15) << 4);
    }
  }

  /** Six-bit scales of Q3_K, -32 to 31. */
  static void putSixBitScales(float[] ls, byte[] dst, int at) {
    for (int j = 0; j < 8; j++) {
      dst[at + j] = (byte) (scale(ls, j) & 15 | (scale(ls, j + 8) & 15) << 4);
    }
    for (int j = 0; j < 4; j++) {
      int bits = 0;
      for (int k = 0; k < 4; k++) {
        bits |= scale(ls, j + 4 * k) >> 4 << (2 * k);
      }
      dst[at + 8 + j] = (byte) bits;
    }
  }

  private static int scale(float[] ls, int j) {
    return (int) ls[j] + 32;
  }

  /** Q6_K's low four bits. */
  static void putLowNibbles(int[] q, byte[] dst, int at) {
    for (int h = 0; h < 2; h++) {
      for (int j = 0; j < 64; j++) {
        int from = LANES * (j % 16) + 8 * h + j / 16;
        dst[at + 64 * h + j] = (byte) (q[from] & 15 | (q[from + 4] & 15) << 4);
      }
    }
  }

  /** Q6_K's high two bits. */
  static void putHighPairs(int[] q, byte[] dst, int at) {
    for (int h = 0; h < 2; h++) {
      for (int j = 0; j < 32; j++) {
        int from = LANES * (j % 16) + 8 * h + j / 16;
        int bits = 0;
        for (int p = 0; p < 4; p++) {
          bits |= q[from + 2 * p] >> 4 << (2 * p);
        }
        dst[at + 32 * h + j] = (byte) bits;
      }
    }
  }

  /** A block of 32: element j in the low nibble of byte j, element j + 16 in the high one. */
  static void putHalves(int[] q, int lane, byte[] dst, int at) {
    for (int j = 0; j < 16; j++) {
      int low = q[LANES * j + lane] & 15;
      dst[at + j] = (byte) (low | q[LANES * (j + 16) + lane] << 4);
    }
  }

  /** Fifth bits of a block of 32, bit i that of element i. */
  static void putFifthBitsOf32(int[] q, int lane, byte[] dst, int at) {
    for (int k = 0; k < 4; k++) {
      int bits = 0;
      for (int i = 0; i < 8; i++) {
        bits |= (q[LANES * (8 * k + i) + lane] >> 4 & 1) << i;
      }
      dst[at + k] = (byte) bits;
    }
  }
}
