package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Instruction.*;
import static dev.ridgeline.cpu.machine.Operand.at;
import static dev.ridgeline.cpu.machine.Operand.k;
import static dev.ridgeline.cpu.machine.Operand.zmm;

import dev.ridgeline.cpu.machine.Assembler.Condition;
import dev.ridgeline.cpu.machine.Assembler.Label;
import dev.ridgeline.cpu.machine.Operand.Mem;
import dev.ridgeline.cpu.machine.Operand.Vec;
import dev.ridgeline.tensor.DType;

/**
 * Emits {@code f(RDI frame)}: tiles of 1 or 4 rows of F32, F16 or BF16 by up to 6 tokens of
 * float32, lanes being columns, in pieces of 512 columns. Each of a tile's products has 16 sums of
 * its own, which are added up in one order at the end of each piece: a result depends neither on
 * how many tokens nor on how many rows and pieces one call takes.
 */
final class FloatDot {
  static final int ROWS = 4;
  static final int MAX_TOKENS = 6;

  /** Columns of a piece: 6 tokens of it take 12 KB of the first-level cache. */
  static final int COLS = 512;

  /** Columns of a step: a cache line of 16-bit weights. */
  static final int STEP = 32;

  // The frame: 64-bit fields.
  static final int WEIGHTS = 0;
  static final int ROW_BYTES = 8;
  static final int X = 16;
  static final int X_STRIDE = 24;
  static final int OUT = 32;
  static final int OUT_STRIDE = 40;

  /** Whole steps of a last, partial piece. */
  static final int STEPS = 48;

  /** Columns of its last, partial step, as a mask; 0 for none. */
  static final int TAIL = 56;

  /** Rows of each tile to store, as a mask. */
  static final int ROW_MASK = 64;

  /** Whether {@code out} is added to, rather than overwritten. */
  static final int ADD = 72;

  /** Where to fetch from memory meanwhile: as many bytes as the tiles have. */
  static final int FETCH = 80;

  /** Whole pieces. */
  static final int PIECES = 88;

  /** Tiles, at least one. A call moves {@link #WEIGHTS} and {@link #OUT} past them. */
  static final int TILES = 96;

  static final int FRAME_BYTES = 128;

  private static final int LANES = 16;
  private static final int LINE = 64;

  private static final Gpr FRAME = Gpr.RDI;
  private static final Gpr WEIGHT = Gpr.RAX;
  private static final Gpr STRIDE = Gpr.RSI;
  private static final Gpr STRIDE3 = Gpr.R10;
  private static final Gpr[] TOKEN_QUADS = {Gpr.RDX, Gpr.RBX};
  private static final Gpr X_STRIDE1 = Gpr.RCX;
  private static final Gpr X_STRIDE3 = Gpr.R11;
  private static final Gpr AHEAD = Gpr.R9;
  private static final Gpr COUNT = Gpr.RBP;
  private static final Gpr TILE_COUNT = Gpr.R12;
  private static final Gpr PIECE_COUNT = Gpr.R13;
  private static final Gpr ADDS = Gpr.R14;
  private static final Gpr OUT_AT = Gpr.R8;
  private static final Gpr OUT_STEP = Gpr.R15;
  private static final Gpr[] SAVED = {Gpr.RBX, Gpr.RBP, Gpr.R12, Gpr.R13, Gpr.R14, Gpr.R15};

  private final DType type;
  private final int rows;
  private final int tokens;
  private final boolean fetches;
  private final Assembler a = new Assembler();

  FloatDot(DType type, int rows, int tokens, boolean fetches) {
    this.type = type;
    this.rows = rows;
    this.tokens = tokens;
    this.fetches = fetches;
  }

  byte[] emit() {
    for (Gpr r : SAVED) {
      a.push(r);
    }
    a.mov(STRIDE, at(FRAME, ROW_BYTES));
    a.lea(STRIDE3, at(STRIDE, STRIDE, 2, 0));
    a.mov(X_STRIDE1, at(FRAME, X_STRIDE));
    a.lea(X_STRIDE3, at(X_STRIDE1, X_STRIDE1, 2, 0));
    a.mov(AHEAD, at(FRAME, FETCH));
    a.mov(TILE_COUNT, at(FRAME, TILES));
    a.mov(Gpr.R8, at(FRAME, ROW_MASK));
    a.kmovd(k(3), Gpr.R8);
    a.loop(TILE_COUNT, this::tile);
    a.vzeroupper();
    for (int i = SAVED.length - 1; i >= 0; i--) {
      a.pop(SAVED[i]);
    }
    a.ret();
    return a.finish();
  }

  private void tile() {
    a.mov(WEIGHT, at(FRAME, WEIGHTS));
    a.lea(Gpr.R8, at(WEIGHT, STRIDE, rows, 0));
    a.mov(at(FRAME, WEIGHTS), Gpr.R8);
    a.mov(TOKEN_QUADS[0], at(FRAME, X));
    a.lea(TOKEN_QUADS[1], at(TOKEN_QUADS[0], X_STRIDE1, 4, 0));
    a.mov(ADDS, at(FRAME, ADD));
    var rest = new Label();
    a.mov(PIECE_COUNT, at(FRAME, PIECES));
    a.cmp(PIECE_COUNT, 0);
    a.jump(Condition.EQUAL, rest);
    a.loop(
        PIECE_COUNT,
        () -> {
          zero();
          a.mov(COUNT, COLS / STEP);
          a.loop(COUNT, () -> step(false));
          finish();
        });
    a.bind(rest);
    rest();
    a.mov(Gpr.R8, at(FRAME, OUT));
    a.add(Gpr.R8, rows * Float.BYTES);
    a.mov(at(FRAME, OUT), Gpr.R8);
  }

  private void rest() {
    var none = new Label();
    var tail = new Label();
    var whole = new Label();
    a.mov(COUNT, at(FRAME, STEPS));
    a.mov(Gpr.R8, at(FRAME, TAIL));
    a.add(Gpr.R8, COUNT);
    a.cmp(Gpr.R8, 0);
    a.jump(Condition.EQUAL, none);
    zero();
    a.cmp(COUNT, 0);
    a.jump(Condition.EQUAL, tail);
    a.loop(COUNT, () -> step(false));
    a.bind(tail);
    a.mov(Gpr.R8, at(FRAME, TAIL));
    a.cmp(Gpr.R8, 0);
    a.jump(Condition.EQUAL, whole);
    a.kmovd(k(1), Gpr.R8);
    a.shr(Gpr.R8, LANES);
    a.kmovd(k(2), Gpr.R8);
    step(true);
    a.bind(whole);
    finish();
    a.bind(none);
  }

  private void zero() {
    for (int i = 0; i < rows * tokens; i++) {
      a.zero(zmm(i));
    }
  }

  private void step(boolean masked) {
    int bytes = Math.toIntExact(type.bytes(STEP));
    for (int half = 0; half < 2; half++) {
      for (int r = 0; r < rows; r++) {
        Vec w = weight(r);
        decode(a, type, masked ? w.zeroing(k(1 + half)) : w, row(r, half * bytes / 2));
      }
      for (int t = 0; t < tokens; t++) {
        Vec x = zmm(28 + t % 4);
        a.op(VMOVDQU32_LOAD, masked ? x.zeroing(k(1 + half)) : x, x(t, half * LINE));
        for (int r = 0; r < rows; r++) {
          a.op(VFMADD231PS, sum(t, r), weight(r), x);
        }
      }
    }
    for (int line = 0; fetches && line < rows * bytes / LINE; line++) {
      a.prefetch(at(AHEAD, LINE * line));
    }
    a.add(AHEAD, rows * bytes);
    a.add(WEIGHT, bytes);
    for (Gpr quad : TOKEN_QUADS) {
      a.add(quad, STEP * Float.BYTES);
    }
  }

  /** Emits: 16 elements at {@code from} as float32. */
  static void decode(Assembler a, DType type, Vec to, Mem from) {
    switch (type) {
      case F32 -> a.op(VMOVDQU32_LOAD, to, from);
      case F16 -> a.op(VCVTPH2PS, to, from);
      case BF16 -> {
        a.op(VPMOVZXWD, to, from);
        Vec all = zmm(to.index());
        a.op(VPSLLD, all, all, 16);
      }
      default -> throw new IllegalStateException(type + " is not plain");
    }
  }

  /**
   * Adds up the lanes of 4 rows at once, or of one row four times: by pairs, by pairs of pairs,
   * then over the quarters.
   */
  private void finish() {
    a.mov(OUT_AT, at(FRAME, OUT));
    a.mov(OUT_STEP, at(FRAME, OUT_STRIDE));
    for (int t = 0; t < tokens; t++) {
      Vec all = zmm(24);
      pairs(VPUNPCKLDQ, VPUNPCKHDQ, all, sum(t, 0), sum(t, 1));
      pairs(VPUNPCKLDQ, VPUNPCKHDQ, zmm(26), sum(t, 2), sum(t, 3));
      pairs(VPUNPCKLQDQ, VPUNPCKHQDQ, all, all, zmm(26));
      a.op(VSHUFI32X4, zmm(25), all, all, 0x4E);
      a.op(VADDPS, all, all, zmm(25));
      a.op(VSHUFI32X4, zmm(25), all, all, 0xB1);
      a.op(VADDPS, all, all, zmm(25));
      var store = new Label();
      a.cmp(ADDS, 0);
      a.jump(Condition.EQUAL, store);
      a.op(VADDPS, all.xmm().zeroing(k(3)), all.xmm(), at(OUT_AT));
      a.bind(store);
      a.store(VMOVDQU32_STORE, at(OUT_AT), all.xmm().merging(k(3)));
      a.add(OUT_AT, OUT_STEP);
    }
    a.mov(ADDS, 1);
  }

  private void pairs(Instruction low, Instruction high, Vec to, Vec first, Vec second) {
    a.op(high, zmm(27), first, second);
    a.op(low, to, first, second);
    a.op(VADDPS, to, to, zmm(27));
  }

  private Vec sum(int t, int r) {
    return zmm(rows * t + r % rows);
  }

  private static Vec weight(int r) {
    return zmm(24 + r);
  }

  private static Mem row(int r, int offset) {
    return quarter(WEIGHT, STRIDE, STRIDE3, r, offset);
  }

  private static Mem x(int t, int offset) {
    return quarter(TOKEN_QUADS[t / 4], X_STRIDE1, X_STRIDE3, t % 4, offset);
  }

  private static Mem quarter(Gpr base, Gpr stride, Gpr stride3, int i, int offset) {
    return switch (i) {
      case 0 -> at(base, offset);
      case 1 -> at(base, stride, 1, offset);
      case 2 -> at(base, stride, 2, offset);
      default -> at(base, stride3, 1, offset);
    };
  }
}
