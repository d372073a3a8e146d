package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Instruction.*;
import static dev.ridgeline.cpu.machine.Operand.at;
import static dev.ridgeline.cpu.machine.Operand.k;
import static dev.ridgeline.cpu.machine.Operand.zmm;

import dev.ridgeline.cpu.kernel.RowAttention;
import dev.ridgeline.cpu.machine.Assembler.Condition;
import dev.ridgeline.cpu.machine.Assembler.Label;
import dev.ridgeline.cpu.machine.Operand.Vec;

/**
 * {@link RowAttention} by AVX-512. Scores have stored tokens in their lanes, results have elements
 * of a value; every key and value that is read and converted serves all rows of a call.
 */
final class MachineAttention implements RowAttention {
  private static final int LANES = 16;
  private static final int LINE = 64;
  private static final int MOST_ROWS = 4;
  private static final int RESULT_VECTORS = 16;

  /** In the frame: a row's 16 weights, and the position of the tile's first token. */
  private static final int WEIGHTS = ROWS + MOST_ROWS * ROW_BYTES;

  private static final int TILE_FIRST = 56;

  private static final int AT_MOST = 2;
  private static final int NOT_EQUAL = 4;
  private static final int AT_LEAST = 5;

  private final int vectors;
  private final NativeCode[] codes;

  /** For values of {@code valueDim} elements: a multiple of 16, at most 256. */
  MachineAttention(int valueDim) {
    if (!suits(valueDim)) {
      throw new IllegalArgumentException("no attention to values of " + valueDim + " elements");
    }
    vectors = valueDim / LANES;
    codes = new NativeCode[Math.min(MOST_ROWS, RESULT_VECTORS / vectors)];
    for (int rows = 1; rows <= codes.length; rows++) {
      codes[rows - 1] =
          NativeCode.install("attend_" + valueDim + "_" + rows, new Code(rows, vectors).emit());
    }
  }

  static boolean suits(int valueDim) {
    return valueDim % LANES == 0 && valueDim / LANES <= RESULT_VECTORS;
  }

  @Override
  public int maxRows() {
    return codes.length;
  }

  @Override
  public void attend(long frame, int rows) {
    codes[rows - 1].call(frame, 0, 0, 0, 0, 0);
  }

  /** Combines all lanes of {@code v}, in every lane. */
  static void across(Assembler a, Instruction combine, Vec v, Vec work) {
    a.op(VSHUFI32X4, work, v, v, 0x4E);
    a.op(combine, v, v, work);
    a.op(VSHUFI32X4, work, v, v, 0xB1);
    a.op(combine, v, v, work);
    a.op(VPSHUFD, work, v, 0x4E);
    a.op(combine, v, v, work);
    a.op(VPSHUFD, work, v, 0xB1);
    a.op(combine, v, v, work);
  }

  // Registers: 0-15 results, 16-19 scores, 20-23 to work, 24-27 denominators, 28-31 maxima.
  private record Code(int rows, int vectors, Assembler a) {
    private static final Gpr FRAME = Gpr.RDI;
    private static final Gpr TILE_AT = Gpr.RAX;
    private static final Gpr COUNT = Gpr.RCX;
    private static final Gpr AT = Gpr.RSI;
    private static final Gpr INDEX = Gpr.RDX;
    private static final Gpr END = Gpr.RBX;
    private static final Gpr KEY_STEP = Gpr.RBP;
    private static final Gpr WORK = Gpr.R12;
    private static final Gpr[] QUERIES = {Gpr.R8, Gpr.R9, Gpr.R10, Gpr.R11};
    private static final Gpr[] SAVED = {Gpr.RBX, Gpr.RBP, Gpr.R12};

    /** Less than any score, and finite, so that differences are numbers. */
    private static final float LEAST = -3e38f;

    Code(int rows, int vectors) {
      this(rows, vectors, new Assembler());
    }

    byte[] emit() {
      for (Gpr r : SAVED) {
        a.push(r);
      }
      begin();
      a.mov(TILE_AT, at(FRAME, TILES));
      a.mov(COUNT, at(FRAME, TILE_COUNT));
      a.mov(KEY_STEP, at(FRAME, KEY_STRIDE));
      a.mov(WORK, at(FRAME, FIRST));
      a.mov(at(FRAME, TILE_FIRST), WORK);
      a.loop(
          COUNT,
          () -> {
            scores();
            for (int r = 0; r < rows; r++) {
              weigh(r);
            }
            values();
            a.add(TILE_AT, TILE_BYTES);
            a.mov(WORK, at(FRAME, TILE_FIRST));
            a.add(WORK, TILE);
            a.mov(at(FRAME, TILE_FIRST), WORK);
          });
      finish();
      a.vzeroupper();
      for (int i = SAVED.length - 1; i >= 0; i--) {
        a.pop(SAVED[i]);
      }
      a.ret();
      return a.finish();
    }

    private void begin() {
      var fresh = new Label();
      var done = new Label();
      for (int r = 0; r < rows; r++) {
        a.mov(QUERIES[r], at(FRAME, row(r, ROW_QUERY)));
      }
      a.mov(WORK, at(FRAME, RESUME));
      a.cmp(WORK, 0);
      a.jump(Condition.EQUAL, fresh);
      a.mov(WORK, 1);
      a.kmovd(k(1), WORK);
      for (int r = 0; r < rows; r++) {
        a.mov(WORK, at(FRAME, row(r, ROW_RESULT)));
        a.op(VPBROADCASTD, max(r), at(WORK));
        a.op(VMOVDQU32_LOAD, sum(r).zeroing(k(1)), at(WORK, Float.BYTES));
        for (int v = 0; v < vectors; v++) {
          a.op(VMOVDQU32_LOAD, result(r, v), at(WORK, LINE * (1 + v)));
        }
      }
      a.jump(done);
      a.bind(fresh);
      for (int r = 0; r < rows; r++) {
        a.op(VPBROADCASTD, max(r), a.constant(LEAST));
        a.zero(sum(r));
        for (int v = 0; v < vectors; v++) {
          a.zero(result(r, v));
        }
      }
      a.bind(done);
    }

    /** {@code S_r = scale * q_r K}. */
    private void scores() {
      for (int r = 0; r < rows; r++) {
        a.zero(score(r));
      }
      a.mov(AT, at(TILE_AT));
      a.mov(INDEX, 0);
      a.mov(END, at(FRAME, KEY_DIM));
      var top = new Label();
      a.bind(top);
      Vec key = zmm(20);
      a.op(VCVTPH2PS, key, at(AT));
      for (int r = 0; r < rows; r++) {
        a.op(VFMADD231PS, score(r), key, at(QUERIES[r], INDEX, 4, 0).repeat());
      }
      a.add(AT, KEY_STEP);
      a.add(INDEX, 1);
      a.cmp(INDEX, END);
      a.jump(Condition.NOT_EQUAL, top);
      for (int r = 0; r < rows; r++) {
        a.op(VMULPS, score(r), score(r), at(FRAME, SCALE).repeat());
      }
    }

    /** Weights {@code exp(S_r - max)} of the visible tokens; brings results to a new maximum. */
    private void weigh(int r) {
      Vec visible = zmm(21);
      Vec largest = zmm(22);
      int[] positions = new int[LANES];
      for (int i = 0; i < LANES; i++) {
        positions[i] = i;
      }
      a.op(VMOVDQU32_LOAD, zmm(20), a.constant(positions));
      a.op(VPADDD, zmm(20), zmm(20), at(FRAME, TILE_FIRST).repeat());
      a.op(VPCMPD, zmm(1), zmm(20), at(FRAME, row(r, ROW_FROM)).repeat(), AT_LEAST);
      a.op(VPCMPD, zmm(2).merging(k(1)), zmm(20), at(FRAME, row(r, ROW_TO)).repeat(), AT_MOST);
      a.op(VPBROADCASTD, visible, a.constant(LEAST));
      a.op(VMOVDQU32_LOAD, visible.merging(k(2)), score(r));
      a.op(VMOVDQU32_LOAD, score(r), visible);
      a.op(VMOVDQU32_LOAD, largest, visible);
      across(a, VMAXPS, largest, zmm(23));
      a.op(VMAXPS, largest, largest, max(r));
      rescale(r, largest);
      a.op(VSUBPS, score(r), score(r), max(r));
      MachineGate.exp(a, score(r), zmm(20), zmm(21), zmm(22), k(2));
      a.op(VADDPS, sum(r), sum(r), score(r));
      a.store(VMOVDQU32_STORE, at(FRAME, WEIGHTS + LINE * r), score(r));
    }

    /** If {@code largest} is a new maximum: multiplies everything by exp(old - new). */
    private void rescale(int r, Vec largest) {
      var same = new Label();
      Vec factor = zmm(23);
      a.op(VPCMPD, zmm(1), largest, max(r), NOT_EQUAL);
      a.kmovd(WORK, k(1));
      a.cmp(WORK, 0);
      a.jump(Condition.EQUAL, same);
      a.op(VSUBPS, factor, max(r), largest);
      a.op(VMOVDQU32_LOAD, max(r), largest);
      a.mov(WORK, 0xFFFF);
      a.kmovd(k(1), WORK);
      MachineGate.exp(a, factor, zmm(20), zmm(21), zmm(22), k(1));
      a.op(VMULPS, sum(r), sum(r), factor);
      for (int v = 0; v < vectors; v++) {
        a.op(VMULPS, result(r, v), result(r, v), factor);
      }
      a.bind(same);
    }

    /** {@code O_r += w_r V}. */
    private void values() {
      a.mov(AT, at(TILE_AT, 8));
      a.mov(INDEX, at(TILE_AT, 16));
      a.mov(END, at(TILE_AT, 24));
      var top = new Label();
      var done = new Label();
      a.bind(top);
      a.cmp(INDEX, END);
      a.jump(Condition.ABOVE_OR_EQUAL, done);
      for (int r = 0; r < rows; r++) {
        a.op(VPBROADCASTD, score(r), at(FRAME, INDEX, 4, WEIGHTS + LINE * r));
      }
      for (int v = 0; v < vectors; v++) {
        Vec value = zmm(20 + v % 4);
        a.op(VCVTPH2PS, value, at(AT, LINE / 2 * v));
        for (int r = 0; r < rows; r++) {
          a.op(VFMADD231PS, result(r, v), value, score(r));
        }
      }
      a.add(AT, LINE / 2 * vectors);
      a.add(INDEX, 1);
      a.jump(top);
      a.bind(done);
    }

    private void finish() {
      for (int r = 0; r < rows; r++) {
        a.mov(WORK, at(FRAME, row(r, ROW_RESULT)));
        across(a, VADDPS, sum(r), zmm(20));
        a.store(VMOVSS_STORE, at(WORK), max(r).xmm());
        a.store(VMOVSS_STORE, at(WORK, Float.BYTES), sum(r).xmm());
        for (int v = 0; v < vectors; v++) {
          a.store(VMOVDQU32_STORE, at(WORK, LINE * (1 + v)), result(r, v));
        }
      }
    }

    private static int row(int r, int field) {
      return ROWS + ROW_BYTES * r + field;
    }

    private Vec result(int r, int v) {
      return zmm(vectors * r + v);
    }

    private static Vec score(int r) {
      return zmm(16 + r);
    }

    private static Vec sum(int r) {
      return zmm(24 + r);
    }

    private static Vec max(int r) {
      return zmm(28 + r);
    }
  }
}
