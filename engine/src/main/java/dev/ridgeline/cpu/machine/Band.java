package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Operand.at;

import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.cpu.kernel.ProductCall;
import dev.ridgeline.cpu.machine.Assembler.Condition;
import dev.ridgeline.cpu.machine.Assembler.Label;
import dev.ridgeline.cpu.machine.Operand.Mem;
import dev.ridgeline.tensor.DType;

/**
 * Emits {@code f(RDI frame)}: up to 32 rows of a weight times all tokens.
 *
 * <pre>
 * for each chunk of columns:
 *   decode the rows' chunk into the frame        stays in the level-1 cache
 *   multiply it with all tokens' activations, fetching the next rows meanwhile
 * </pre>
 *
 * The frame is in the thread's scratch: arguments of 64 bits at the offsets below, written by
 * {@link #weights} and {@link #tokens}, then room for what is decoded.
 */
abstract class Band {
  /** Rows of a band. */
  static final int ROWS = 32;

  /** Columns of a step: decoding and multiplying go by whole steps. */
  static final int COLS = 32;

  /** Rows that are decoded together: the elements of a vector. */
  protected static final int HALF = 16;

  protected static final int WEIGHTS = 0;
  protected static final int ROW_BYTES = 8;
  protected static final int ROW_COUNT = 16;
  protected static final int ROW_MASK = 24;
  protected static final int STEPS = 32;

  /** Columns of the last step if they are not 32, as a mask; else 0. */
  protected static final int LAST_MASK = 40;

  protected static final int ACTIVATIONS = 48;
  protected static final int TOKENS = 56;
  protected static final int OUT = 64;
  protected static final int OUT_STRIDE = 72;

  /** Whether {@code out} is added to, rather than overwritten. */
  protected static final int ADD = 80;

  /** What to fetch from memory meanwhile: the next rows, a piece of each. */
  private static final int FETCH = 88;

  private static final int FETCH_LINES = 96;
  private static final int FETCH_JUMP = 104;
  private static final int FETCH_EACH_STEP = 112;

  /** Steps of this chunk. */
  protected static final int CHUNK = 120;

  /** Whether this is not the first chunk. */
  protected static final int LATER_CHUNK = 128;

  /** Of the subclass. */
  protected static final int OWN = 136;

  /** Where the subclass's room begins. */
  protected static final int ROOM = 192;

  private static final int LINE = 64;
  private static final Gpr FRAME = Gpr.RBP;
  private static final Gpr FETCH_AT = Gpr.R13;
  private static final Gpr FETCH_LEFT = Gpr.R14;
  private static final Gpr FETCH_COUNT = Gpr.RBX;
  private static final Gpr[] SAVED = {Gpr.RBX, Gpr.RBP, Gpr.R12, Gpr.R13, Gpr.R14, Gpr.R15};

  protected final Assembler a = new Assembler();
  private final int chunkSteps;

  /**
   * @param chunkSteps steps of a chunk but the last
   */
  protected Band(int chunkSteps) {
    this.chunkSteps = chunkSteps;
  }

  /**
   * Writes the arguments that say which weights: up to 32 rows of a call, some steps.
   *
   * @param passes times that the steps are run through for all tokens
   */
  static void weights(ProductCall call, DType type, int row, int step, int steps, int passes) {
    long f = call.scratch;
    int rows = Math.min(ROWS, call.rows - row);
    int fromCol = step * COLS;
    int toCol = Math.min(call.cols, (step + steps) * COLS);
    long weights = call.weights + row * call.rowBytes + type.bytes(fromCol);
    long lines = (type.bytes(toCol - fromCol) + LINE - 1) / LINE;
    Memory.i64(f + WEIGHTS, weights);
    Memory.i64(f + ROW_BYTES, call.rowBytes);
    Memory.i64(f + ROW_COUNT, rows);
    Memory.i64(f + ROW_MASK, (1L << rows) - 1);
    Memory.i64(f + STEPS, steps);
    Memory.i64(f + LAST_MASK, (1L << toCol % COLS) - 1);
    Memory.i64(f + ADD, step);
    Memory.i64(f + FETCH, weights + ROWS * call.rowBytes);
    Memory.i64(f + FETCH_LINES, lines);
    Memory.i64(f + FETCH_JUMP, call.rowBytes - lines * LINE);
    Memory.i64(f + FETCH_EACH_STEP, (lines * ROWS - 1) / ((long) steps * passes) + 1);
  }

  /**
   * Writes the arguments that say which tokens, and where their results go.
   *
   * @param activations packed activations, from the first token and step on
   */
  static void tokens(ProductCall call, int row, int token, int tokens, long activations) {
    long f = call.scratch;
    Memory.i64(f + ACTIVATIONS, activations);
    Memory.i64(f + TOKENS, tokens);
    Memory.i64(f + OUT, call.out + token * call.outStride + (long) row * Float.BYTES);
    Memory.i64(f + OUT_STRIDE, call.outStride);
  }

  /** Emits what comes before the first chunk. */
  protected abstract void prepare();

  /** Emits the decoding of the chunk's rows at {@link #WEIGHTS}, {@link #CHUNK} steps. */
  protected abstract void decode();

  /** Bytes of a row's whole chunk. */
  protected abstract int chunkBytes();

  /** Emits the multiplication of the chunk. */
  protected abstract void multiply();

  /** Emits what comes after the last chunk. */
  protected abstract void finish();

  /** The finished function. */
  final byte[] emit() {
    for (Gpr r : SAVED) {
      a.push(r);
    }
    a.mov(FRAME, Gpr.RDI);
    prepare();
    a.mov(FETCH_AT, frame(FETCH));
    a.mov(FETCH_LEFT, frame(FETCH_LINES));
    a.mov(FETCH_COUNT, frame(FETCH_EACH_STEP));
    a.mov(Gpr.RAX, 0);
    a.mov(frame(LATER_CHUNK), Gpr.RAX);
    var chunk = new Label();
    var last = new Label();
    a.bind(chunk);
    a.mov(Gpr.RCX, frame(STEPS));
    a.cmp(Gpr.RCX, chunkSteps);
    a.jump(Condition.BELOW, last);
    a.mov(Gpr.RCX, chunkSteps);
    a.bind(last);
    a.mov(frame(CHUNK), Gpr.RCX);
    decode();
    multiply();
    a.mov(Gpr.RAX, frame(WEIGHTS));
    a.add(Gpr.RAX, chunkBytes());
    a.mov(frame(WEIGHTS), Gpr.RAX);
    a.mov(Gpr.RAX, 1);
    a.mov(frame(LATER_CHUNK), Gpr.RAX);
    a.mov(Gpr.RAX, frame(STEPS));
    a.sub(Gpr.RAX, frame(CHUNK));
    a.mov(frame(STEPS), Gpr.RAX);
    a.jump(Condition.NOT_EQUAL, chunk);
    finish();
    a.vzeroupper();
    for (int i = SAVED.length - 1; i >= 0; i--) {
      a.pop(SAVED[i]);
    }
    a.ret();
    return a.finish();
  }

  /** The frame's memory at {@code offset}. */
  protected static Mem frame(int offset) {
    return at(FRAME, offset);
  }

  /**
   * Emits a loop over the rows, 16 at most at a time: {@code row} finds the row in RDI, and may use
   * all registers but RDX, RSI, RDI, R8, R12; {@code between} comes after each 16.
   */
  protected final void rows(Runnable row, Runnable between) {
    a.mov(Gpr.RDI, frame(WEIGHTS));
    a.mov(Gpr.RSI, frame(ROW_BYTES));
    a.mov(Gpr.R12, frame(ROW_COUNT));
    var half = new Label();
    var part = new Label();
    a.bind(half);
    a.mov(Gpr.RDX, Gpr.R12);
    a.cmp(Gpr.RDX, HALF);
    a.jump(Condition.BELOW, part);
    a.mov(Gpr.RDX, HALF);
    a.bind(part);
    a.sub(Gpr.R12, Gpr.RDX);
    a.loop(
        Gpr.RDX,
        () -> {
          row.run();
          a.add(Gpr.RDI, Gpr.RSI);
        });
    between.run();
    a.cmp(Gpr.R12, 0);
    a.jump(Condition.NOT_EQUAL, half);
  }

  /** Emits the request for the next lines of the next rows; overwrites RCX. */
  protected final void fetch() {
    a.mov(Gpr.RCX, FETCH_COUNT);
    a.loop(
        Gpr.RCX,
        () -> {
          var samePiece = new Label();
          a.prefetch(at(FETCH_AT));
          a.add(FETCH_AT, LINE);
          a.sub(FETCH_LEFT, 1);
          a.jump(Condition.NOT_EQUAL, samePiece);
          a.add(FETCH_AT, frame(FETCH_JUMP));
          a.mov(FETCH_LEFT, frame(FETCH_LINES));
          a.bind(samePiece);
        });
  }
}
