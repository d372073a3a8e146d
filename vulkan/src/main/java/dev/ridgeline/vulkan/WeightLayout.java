package dev.ridgeline.vulkan;

import dev.ridgeline.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/**
 * How the device keeps a weight: as planes, each holding one byte range of all blocks one after the
 * other, so that every field is aligned to its own size and quants can be loaded 16 bytes at a
 * time, in exactly the file's bytes. The files {@code include/<format>.glsl} name the same planes.
 *
 * @param planes lengths of the byte ranges, which follow each other in a block
 */
record WeightLayout(List<Integer> planes) {
  /** Most planes of a format; shaders take as many addresses. */
  static final int MAX_PLANES = 4;

  /** Planes start at multiples of this many blocks, hence of 16 bytes whatever the ranges are. */
  private static final int BLOCKS = 16;

  /** Rejects what the shaders cannot take. */
  WeightLayout {
    planes = List.copyOf(planes);
    if (planes.size() > MAX_PLANES) {
      throw new IllegalArgumentException("planes " + planes);
    }
  }

  /** The layout of {@code type}. */
  static WeightLayout of(DType type) {
    return new WeightLayout(
        switch (type) {
          case F32 -> List.of(4);
          case F16, BF16 -> List.of(2);
          case Q4_0, IQ4_NL -> List.of(2, 16);
          case Q4_1 -> List.of(4, 16);
          case Q5_0 -> List.of(2, 4, 16);
          case Q5_1 -> List.of(4, 4, 16);
          case Q8_0 -> List.of(2, 32);
          case Q2_K -> List.of(16, 64, 4);
          case Q3_K -> List.of(32, 64, 12, 2);
          case Q4_K -> List.of(16, 128);
          case Q5_K -> List.of(16, 32, 128);
          case Q6_K -> List.of(128, 64, 16, 2);
          case IQ4_XS -> List.of(8, 128);
          case MXFP4 -> List.of(1, 16);
          case I8, I16, I32, I64, F64 ->
              throw new IllegalArgumentException(type + " is not a weight format");
        });
  }

  /** Bytes of {@code blocks} blocks with the planes' padding: less than 16 blocks of it. */
  long bytes(long blocks) {
    return padded(blocks) * planes.stream().mapToInt(Integer::intValue).sum();
  }

  /** Where each plane of {@code blocks} blocks starts. */
  List<Long> starts(long blocks) {
    var starts = new ArrayList<Long>();
    long at = 0;
    for (int length : planes) {
      starts.add(at);
      at += padded(blocks) * length;
    }
    return starts;
  }

  private static long padded(long blocks) {
    return (blocks + BLOCKS - 1) / BLOCKS * BLOCKS;
  }
}
