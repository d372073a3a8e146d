package dev.ridgeline.vulkan;

import java.util.List;

/**
 * How workgroups of {@code mul_mat_matrix_q.comp} share a matrix. By its rows alone, so that sums
 * do not depend on the tokens; the numbers were measured on an H200 (docs/kernels/vulkan.md).
 *
 * @param tall matrices of rows of a subgroup
 * @param units of a row that an invocation has under way
 * @param subgroups of a workgroup
 * @param slices subgroups that share rows and take columns in turn; with one, x goes through shared
 *     memory
 */
record DecodeShape(int tall, int units, int subgroups, int slices) {
  /** One for each pair of {@link #tall} and {@link #units}. */
  static final List<DecodeShape> KINDS = List.of(sliced(16), tall(8));

  /** From so many matrices of rows on each subgroup has rows of its own. */
  private static final int MANY = 1024;

  /** Matrices of tokens that share the weights that a workgroup decodes, at most. */
  private static final int MAX_WIDE = 4;

  /** Steps of x in shared memory, at most. */
  private static final int MAX_CHUNK = 4;

  /** For tables of formats and the sums of lanes. */
  private static final int OTHER_SHARED_BYTES = 3 << 9;

  /** For {@code rows}, of gate and up together, in matrices of {@code m} rows. */
  static DecodeShape of(int rows, int m) {
    int matrices = Math.ceilDiv(rows, m);
    if (matrices < MANY) {
      int groups = Math.ceilDiv(matrices, 2);
      int subgroups = groups > VecShape.MULTIPROCESSORS ? 8 : 16;
      return sliced(subgroups);
    }
    int best = 8;
    for (int subgroups = 10; subgroups <= 14; subgroups += 2) {
      best = turns(matrices, subgroups) < turns(matrices, best) ? subgroups : best;
    }
    return tall(best);
  }

  private static DecodeShape sliced(int subgroups) {
    return new DecodeShape(2, 1, subgroups, subgroups);
  }

  private static DecodeShape tall(int subgroups) {
    return new DecodeShape(1, 2, subgroups, 1);
  }

  /** Matrices that the busiest multiprocessor takes, one workgroup at a time. */
  private static int turns(int matrices, int subgroups) {
    return Math.ceilDiv(Math.ceilDiv(matrices, subgroups), VecShape.MULTIPROCESSORS) * subgroups;
  }

  /** Matrices of tokens that a workgroup may take. */
  List<Integer> wides() {
    return slices == 1 ? List.of(1, 2, MAX_WIDE) : List.of(1, 2);
  }

  /** Matrices of rows of a workgroup. */
  int tiles() {
    return subgroups / slices * tall;
  }

  /**
   * Steps of x that are in shared memory at a time.
   *
   * @param tokens of a workgroup
   * @param sums bytes of a matrix of sums
   * @param sharers invocations with the same rows
   */
  int chunk(int tokens, int wide, int sums, int sharers, int sharedBytes) {
    int most = subgroups < 12 ? 1 : MAX_CHUNK / wide;
    return Math.clamp(steps(tokens, sums, sharers, sharedBytes), 1, most);
  }

  /** Steps of x of {@code tokens} that {@code sharedBytes} have room for. */
  private int steps(int tokens, int sums, int sharers, int sharedBytes) {
    int step = units * VecShape.UNIT * sharers * tokens * Short.BYTES;
    return (sharedBytes - OTHER_SHARED_BYTES - subgroups * tall * sums) / step;
  }

  /**
   * Matrices of tokens of a workgroup: as few as hold {@code n} tokens, if they fit.
   *
   * @param tokens of a matrix; the others as for {@link #chunk}
   */
  int wide(int n, int tokens, int sums, int sharers, int sharedBytes) {
    int wide = 1;
    while (wide < (slices == 1 ? MAX_WIDE : 2)
        && wide * tokens < n
        && (wide == 1 || steps(2 * wide * tokens, sums, sharers, sharedBytes) > 0)) {
      wide *= 2;
    }
    return wide;
  }
}
