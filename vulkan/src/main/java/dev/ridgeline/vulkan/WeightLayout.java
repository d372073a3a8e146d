package dev.ridgeline.vulkan;

import dev.ridgeline.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/**
 * How the device keeps a weight: as planes, each holding some bytes of all blocks one after the
 * other, so that every field is aligned to its own size and quants can be loaded 16 bytes at a
 * time. The files {@code include/<format>.glsl} name the same planes. They are byte ranges that
 * follow each other in a block of the file; but formats whose quants or scales take many
 * instructions to take apart lie regrouped ({@code regroup.comp}): the same numbers, with scales of
 * 6 bits as bytes (Q4_K 148 bytes a block for the file's 144, Q5_K 180 for 176, Q3_K 114 for 110).
 *
 * @param planes bytes of a block in each
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
          case Q2_K -> List.of(64, 16, 4);
          case Q3_K -> List.of(64, 32, 16, 2);
          case Q4_K -> List.of(128, 16, 4);
          case Q5_K -> List.of(128, 32, 16, 4);
          case Q6_K -> List.of(128, 64, 16, 2);
          case IQ4_XS -> List.of(8, 128);
          case MXFP4 -> List.of(1, 16);
          case I8, I16, I32, I64, F64 ->
              throw new IllegalArgumentException(type + " is not a weight format");
        });
  }

  /** Whether blocks of {@code type} lie in another order than in the file. */
  static boolean isRegrouped(DType type) {
    return switch (type) {
      case Q2_K, Q3_K, Q4_K, Q5_K, Q6_K -> true;
      default -> false;
    };
  }

  /** Registers of 4 bytes that hold a unit of 32 weights, of {@code units} in a block. */
  int unitRegisters(int units) {
    return planes.stream().mapToInt(length -> Math.ceilDiv(length, 4 * units)).sum();
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
