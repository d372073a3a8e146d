package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Step;
import dev.ridgeline.sampler.Draw;
import dev.ridgeline.vulkan.device.GpuBuffer;
import dev.ridgeline.vulkan.device.GpuDevice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What changes from step to step, as kernels read it: token ids, positions, the sequence of each
 * row, the rows of the outputs and how each draws, and for each KV group the block tables {@code
 * [sequences, blocksPerSequence]}; and the largest logit and the choice of each output, as kernels
 * write them. 32-bit words each. There are two of all, so that a step can be written while the one
 * before runs; addresses are those of the slot that {@link #use} was called with last.
 */
final class StepBuffer implements AutoCloseable {
  static final int SLOTS = 2;

  /** Words that say how an output draws; temperature 0: it does not. */
  private static final int DRAW_WORDS = 5;

  private final Capacity capacity;
  private final GpuBuffer buffer;
  private final GpuBuffer choices;
  private final MemorySegment[] mapped = new MemorySegment[SLOTS];
  private int slot;

  StepBuffer(GpuDevice device, Capacity capacity) {
    this.capacity = capacity;
    buffer = device.buffer(SLOTS * slotBytes(capacity), GpuBuffer.Use.UPLOAD);
    for (int i = 0; i < SLOTS; i++) {
      mapped[i] = buffer.mapped().asSlice(i * slotBytes(capacity), slotBytes(capacity));
    }
    boolean done = false;
    try {
      choices = device.buffer(SLOTS * choiceBytes(capacity), GpuBuffer.Use.READBACK);
      done = true;
    } finally {
      if (!done) {
        buffer.close();
      }
    }
  }

  static long bytes(Capacity c) {
    return SLOTS * (slotBytes(c) + choiceBytes(c));
  }

  private static long choiceBytes(Capacity c) {
    return 8L * c.maxOutputs();
  }

  private static long slotBytes(Capacity c) {
    long tables = (long) c.kvBlocks().size() * c.maxSequences() * c.blocksPerSequence();
    return 4 * (tablesAt(c) + tables + tileInts(c));
  }

  /** Turns to slot {@code next}. */
  void use(int next) {
    slot = next;
  }

  /** Where the argmax of each output goes. */
  long largest() {
    return choices.address() + slot * choiceBytes(capacity);
  }

  /** Where the choice of each output goes. */
  long choices() {
    return largest() + 4L * capacity.maxOutputs();
  }

  /** Where the step before left its own, if it is in the other slot. */
  long choicesBefore() {
    return choices.address()
        + (SLOTS - 1 - slot) * choiceBytes(capacity)
        + 4L * capacity.maxOutputs();
  }

  /** The argmax of output {@code output} of the step in slot {@code of}. */
  int largest(int of, int output) {
    long at = 2L * of * capacity.maxOutputs() + output;
    return choices.mapped().getAtIndex(ValueLayout.JAVA_INT, at);
  }

  /** What output {@code output} of the step in slot {@code of} chose. */
  int choice(int of, int output) {
    return largest(of, capacity.maxOutputs() + output);
  }

  private long address() {
    return buffer.address() + slot * slotBytes(capacity);
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
    return address() + tilesAt(queries);
  }

  private long tilesAt(int queries) {
    long ints = tableAt(capacity.kvBlocks().size(), 0) / 4;
    for (int smaller : TILES) {
      ints += smaller < queries ? 2L * tiles(capacity, capacity.maxTokens(), smaller) : 0;
    }
    return 4 * ints;
  }

  private void writeTiles(Step step, int queries) {
    MemorySegment to = mapped[slot];
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
    return address();
  }

  long positions() {
    return address() + 4L * capacity.maxTokens();
  }

  long sequences() {
    return address() + 8L * capacity.maxTokens();
  }

  long outputRows() {
    return address() + 12L * capacity.maxTokens();
  }

  /** {@code [outputs, DRAW_WORDS]}: temperature, top-k, top-p, min-p, random number. */
  long draws() {
    return address() + 4 * drawsAt(capacity);
  }

  private static long drawsAt(Capacity c) {
    return 3L * c.maxTokens() + c.maxOutputs();
  }

  private static long tablesAt(Capacity c) {
    return drawsAt(c) + (long) DRAW_WORDS * c.maxOutputs();
  }

  long blockTables(int group) {
    return address() + tableAt(group, 0);
  }

  private long tableAt(int group, int sequence) {
    long entries =
        ((long) group * capacity.maxSequences() + sequence) * capacity.blocksPerSequence();
    return 4 * (tablesAt(capacity) + entries);
  }

  /** Writes {@code step}, which has been checked. */
  void write(Step step) {
    MemorySegment to = mapped[slot];
    int max = capacity.maxTokens();
    for (int row = 0; row < step.tokenCount(); row++) {
      to.setAtIndex(ValueLayout.JAVA_INT, row, step.token(row));
      to.setAtIndex(ValueLayout.JAVA_INT, max + row, step.position(row));
      to.setAtIndex(ValueLayout.JAVA_INT, 2L * max + row, step.sequence(row));
    }
    for (int output = 0; output < step.outputCount(); output++) {
      to.setAtIndex(ValueLayout.JAVA_INT, 3L * max + output, step.outputRow(output));
    }
    if (step.hasDraws()) {
      writeDraws(step);
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

  private void writeDraws(Step step) {
    for (int output = 0; output < step.outputCount(); output++) {
      long at = drawsAt(capacity) + (long) DRAW_WORDS * output;
      Draw draw = step.draw(output);
      MemorySegment to = mapped[slot];
      to.setAtIndex(ValueLayout.JAVA_FLOAT, at, draw == null ? 0 : draw.temperature());
      if (draw != null) {
        to.setAtIndex(ValueLayout.JAVA_INT, at + 1, draw.topK());
        to.setAtIndex(ValueLayout.JAVA_FLOAT, at + 2, draw.topP());
        to.setAtIndex(ValueLayout.JAVA_FLOAT, at + 3, draw.minP());
        to.setAtIndex(ValueLayout.JAVA_FLOAT, at + 4, step.uniform(output));
      }
    }
  }

  @Override
  public void close() {
    buffer.close();
    choices.close();
  }
}
