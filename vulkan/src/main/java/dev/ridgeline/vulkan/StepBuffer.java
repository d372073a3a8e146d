package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Step;
import dev.ridgeline.vulkan.device.GpuBuffer;
import dev.ridgeline.vulkan.device.GpuDevice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What changes from step to step, as kernels read it: token ids, positions, the sequence of each
 * row, the rows of the outputs, and for each KV group the block tables {@code [sequences,
 * blocksPerSequence]}. 32-bit integers each.
 */
final class StepBuffer implements AutoCloseable {
  private final Capacity capacity;
  private final GpuBuffer buffer;

  StepBuffer(GpuDevice device, Capacity capacity) {
    this.capacity = capacity;
    buffer = device.buffer(bytes(capacity), GpuBuffer.Use.UPLOAD);
  }

  static long bytes(Capacity c) {
    long tables = (long) c.kvBlocks().size() * c.maxSequences() * c.blocksPerSequence();
    return 4 * (3L * c.maxTokens() + c.maxOutputs() + tables + tileInts(c));
  }

  /** Rows of a tile of attention, for each kind of tile. */
  private static final int[] TILES = {16, 32, 64};

  private static long tileInts(Capacity c) {
    long ints = 0;
    for (int queries : TILES) {
      ints += 2L * tiles(c, c.maxTokens(), queries);
    }
    return ints;
  }

  /** Tiles of {@code queries} rows, each of one sequence, that n rows may need. */
  static int tiles(Capacity c, int n, int queries) {
    return n / queries + Math.min(n, c.maxSequences());
  }

  /** Tiles of attention: first row and rows of each; those left over have none. */
  long tiles(int queries) {
    return buffer.address() + tilesAt(queries);
  }

  private long tilesAt(int queries) {
    long ints = tableAt(capacity.kvBlocks().size(), 0) / 4;
    for (int smaller : TILES) {
      ints += smaller < queries ? 2L * tiles(capacity, capacity.maxTokens(), smaller) : 0;
    }
    return 4 * ints;
  }

  private void writeTiles(Step step, int queries) {
    MemorySegment to = buffer.mapped();
    long at = tilesAt(queries) / 4;
    long end = at + 2L * tiles(capacity, step.tokenCount(), queries);
    for (int sequence = 0; sequence < step.sequenceCount(); sequence++) {
      int last = step.endRow(sequence);
      for (int row = step.firstRow(sequence); row < last; row += queries) {
        to.setAtIndex(ValueLayout.JAVA_INT, at++, row);
        to.setAtIndex(ValueLayout.JAVA_INT, at++, Math.min(queries, last - row));
      }
    }
    while (at < end) {
      to.setAtIndex(ValueLayout.JAVA_INT, at++, 0);
    }
  }

  long tokens() {
    return buffer.address();
  }

  long positions() {
    return buffer.address() + 4L * capacity.maxTokens();
  }

  long sequences() {
    return buffer.address() + 8L * capacity.maxTokens();
  }

  long outputRows() {
    return buffer.address() + 12L * capacity.maxTokens();
  }

  long blockTables(int group) {
    return buffer.address() + tableAt(group, 0);
  }

  private long tableAt(int group, int sequence) {
    long entries =
        ((long) group * capacity.maxSequences() + sequence) * capacity.blocksPerSequence();
    return 4 * (3L * capacity.maxTokens() + capacity.maxOutputs() + entries);
  }

  /** Writes {@code step}, which has been checked. */
  void write(Step step) {
    MemorySegment to = buffer.mapped();
    int max = capacity.maxTokens();
    for (int row = 0; row < step.tokenCount(); row++) {
      to.setAtIndex(ValueLayout.JAVA_INT, row, step.token(row));
      to.setAtIndex(ValueLayout.JAVA_INT, max + row, step.position(row));
      to.setAtIndex(ValueLayout.JAVA_INT, 2L * max + row, step.sequence(row));
    }
    for (int output = 0; output < step.outputCount(); output++) {
      to.setAtIndex(ValueLayout.JAVA_INT, 3L * max + output, step.outputRow(output));
    }
    if (step.tokenCount() > Products.MAX_VEC_TOKENS) {
      for (int queries : TILES) {
        writeTiles(step, queries);
      }
    }
    for (int group = 0; group < capacity.kvBlocks().size(); group++) {
      for (int sequence = 0; sequence < step.sequenceCount(); sequence++) {
        int last = step.endRow(sequence) - 1;
        if (last >= step.firstRow(sequence)) {
          int[] table = step.blockTable(sequence, group);
          int used = step.position(last) / capacity.blockTokens() + 1;
          MemorySegment.copy(table, 0, to, ValueLayout.JAVA_INT, tableAt(group, sequence), used);
        }
      }
    }
  }

  @Override
  public void close() {
    buffer.close();
  }
}
