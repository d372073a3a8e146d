package dev.ridgeline.vulkan;

/**
 * How workgroups of {@code mul_mat_vec_q.comp} share a matrix: a row's columns in slices, each for
 * 32 lanes of which each takes one unit of 32 weights, or few of very long rows; rows in sets. The
 * numbers were measured on an H200 for matrices of models of 1 to 27 B (docs/kernels/vulkan.md):
 * about one workgroup for each of its 132 multiprocessors, and eight rows under way.
 *
 * @param slices of a row's columns: by their number alone, so that sums do not depend on the rest
 * @param sets of rows, for each of the matrices
 * @param matrices 2 for gate and up, whose result is wanted in blocks
 * @param rows of each set
 * @param atOnce rows of a set whose weights are under way together; at most all rows
 */
record VecShape(int slices, int sets, int matrices, int rows, int atOnce) {
  /** Elements of a unit of every quantized format ({@code include/weights.glsl}). */
  static final int UNIT = 32;

  private static final int LANES = 32;
  private static final int MAX_SLICES = 24;

  /** Rows of a block of the result as int8. */
  private static final int BLOCK = 32;

  /** Of the device for which shapes are chosen. */
  static final int MULTIPROCESSORS = 132;

  private static final int MAX_TALL = 64;

  /** Workgroups of a product of gate and up. */
  private static final int GATED_GROUPS = 224;

  /** From here on rows are enough for many small workgroups. */
  private static final int MANY_ROWS = 1 << 14;

  /** More slices are enough invocations for a workgroup a multiprocessor. */
  private static final int MANY_SLICES = 8;

  /** Teams of 32 lanes of a workgroup that has two sets of many slices, at most. */
  private static final int MAX_TEAMS = 28;

  /** Parts of a multiprocessor, and registers of each for every lane. */
  private static final int PARTITIONS = 4;

  private static final int REGISTERS = 512;

  /** Registers of an invocation beside those of units under way: x, addresses, sums. */
  private static final int OTHER_REGISTERS = 56;

  /**
   * Sums of all slices of a workgroup, in shared memory: a norm's row has its place beside them.
   */
  private static final int MAX_SUMS = 2048;

  /**
   * For {@code tokens} tokens a workgroup.
   *
   * @param invocations that a workgroup may have
   * @param underWay rows whose weights are under way at most
   * @param unitRegisters of the weights of a unit
   */
  static VecShape of(
      int cols,
      int rows,
      int matrices,
      int tokens,
      int invocations,
      int underWay,
      int unitRegisters) {
    int teams = invocations / LANES / matrices;
    int units = Math.ceilDiv(cols, UNIT * LANES);
    int many = matrices > 1 ? MANY_SLICES : MAX_SLICES;
    int each = Math.ceilDiv(units, Math.min(many, teams));
    int slices = Math.ceilDiv(units, each);
    int tall = matrices > 1 ? gatedTall(rows) : tall(rows, slices);
    while (tall > 8 && tall * slices * matrices * tokens > MAX_SUMS) {
      tall = tall / 2;
    }
    if (matrices > 1) {
      tall = Math.max(tall / BLOCK, 1) * BLOCK;
    }
    int most = Integer.highestOneBit(teams / slices);
    int sets = Math.min(most, sets(rows, tall, slices, matrices));
    // Where there are more workgroups than multiprocessors, two should fit one.
    int together = Math.ceilDiv(rows, tall) > MULTIPROCESSORS ? 2 : 1;
    int registers =
        REGISTERS / Math.ceilDiv(together * slices * sets * matrices, PARTITIONS) / 8 * 8;
    int held = Math.clamp((registers - OTHER_REGISTERS) / unitRegisters, 2, underWay);
    int atOnce = Integer.highestOneBit(Math.max(1, Math.min(held, 8 / tokens) / each));
    // Passes are whole, and no longer than the matrix.
    atOnce =
        Math.min(Math.min(atOnce, Integer.lowestOneBit(tall / sets)), Integer.highestOneBit(rows));
    return new VecShape(slices, sets, matrices, tall / sets, atOnce);
  }

  private static int gatedTall(int rows) {
    return Math.clamp(Math.round(rows / (float) GATED_GROUPS / BLOCK) * BLOCK, BLOCK, 2 * MAX_TALL);
  }

  private static int tall(int rows, int slices) {
    if (rows >= MANY_ROWS) {
      return slices > 2 ? 16 : MAX_TALL;
    }
    int even = Math.ceilDiv(rows, MULTIPROCESSORS);
    if (slices > MANY_SLICES) {
      int step = 2 * slices <= MAX_TEAMS ? 8 : 4;
      return Math.clamp(Math.ceilDiv(even, step) * step, 16, MAX_TALL);
    }
    return Math.clamp(Integer.highestOneBit(2 * even - 1), 16, MAX_TALL);
  }

  private static int sets(int rows, int tall, int slices, int matrices) {
    if (slices > MANY_SLICES) {
      return 2 * slices <= MAX_TEAMS ? 2 : 1;
    }
    if (slices > 2 && (rows >= MANY_ROWS || matrices > 1)) {
      return 1;
    }
    return Math.min(Math.min(4 / matrices, Integer.highestOneBit(16 / slices)), tall / 8);
  }

  /** Rows of a workgroup. */
  int tall() {
    return sets * rows;
  }

  int invocations() {
    return LANES * slices * sets * matrices;
  }
}
