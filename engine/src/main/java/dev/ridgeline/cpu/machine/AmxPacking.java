package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Instruction.*;
import static dev.ridgeline.cpu.machine.Operand.at;
import static dev.ridgeline.cpu.machine.Operand.k;
import static dev.ridgeline.cpu.machine.Operand.ymm;
import static dev.ridgeline.cpu.machine.Operand.zmm;

import dev.ridgeline.cpu.kernel.PackCall;
import dev.ridgeline.cpu.kernel.Packing;
import dev.ridgeline.cpu.machine.Operand.Vec;

/**
 * Activations as AMX tiles of bfloat16: 32 columns by 16 tokens in 1 KB, a pair of columns to a
 * line, so that line p holds columns 2 p and 2 p + 1 of token 0, of token 1, and so on; missing
 * columns and tokens are 0. Columns come in chunks of {@link #chunkSteps} tiles; within a chunk,
 * all tiles of the first 16 tokens, then of the next 16.
 *
 * <p>With two parts, each tile is followed by one with what rounding to bfloat16 left, itself
 * rounded: together 16 bits of each value.
 */
final class AmxPacking implements Packing {
  static final int TILE = 1024;
  static final int TOKENS = 16;
  static final int COLS = 32;

  private static final int LINE = 64;
  private static final long ALL_COLS = 0xFFFF_FFFFL;

  private final int parts;
  private final NativeCode pack;

  AmxPacking(int parts) {
    this.parts = parts;
    pack = NativeCode.install("amx_pack_" + parts, code(parts));
  }

  /** Tiles of 16 tokens. */
  static int tiles(int tokens) {
    return (tokens + TOKENS - 1) / TOKENS;
  }

  /** Steps of 32 columns. */
  static int steps(int cols) {
    return (cols + COLS - 1) / COLS;
  }

  /** Steps in a chunk: 32 rows of weights by so many steps take 32 KB, most of a level-1 cache. */
  static int chunkSteps(int parts) {
    return 16 / parts;
  }

  int parts() {
    return parts;
  }

  /** Bytes from a tile to that of the same columns for the next 16 tokens. */
  static long tokenStride(int parts) {
    return (long) chunkSteps(parts) * TILE * parts;
  }

  /** Bytes before the tiles that begin with column 32 {@code step}. */
  long offset(int tokens, int step) {
    int chunk = chunkSteps(parts);
    return step / chunk * tokenStride(parts) * tiles(tokens) + (long) (step % chunk) * TILE * parts;
  }

  @Override
  public long bytes(int tokens, int cols) {
    int chunk = chunkSteps(parts);
    int chunks = (steps(cols) + chunk - 1) / chunk;
    return chunks * tokenStride(parts) * tiles(tokens);
  }

  @Override
  public int unitCols() {
    return COLS;
  }

  @Override
  public void pack(PackCall call) {
    int chunk = chunkSteps(parts);
    int whole = call.toCol / COLS;
    int step = call.fromCol / COLS;
    while (step < whole) {
      int count = Math.min(chunk - step % chunk, whole - step);
      pack(call, step, count, ALL_COLS);
      step += count;
    }
    if (call.toCol % COLS != 0) {
      pack(call, step, 1, (1L << call.toCol % COLS) - 1);
    }
  }

  private void pack(PackCall call, int step, int count, long columnMask) {
    long stride = (long) call.cols * Float.BYTES;
    for (int token = 0; token < call.tokens; token += TOKENS) {
      pack.call(
          call.x + token * stride + (long) step * COLS * Float.BYTES,
          stride,
          Math.min(TOKENS, call.tokens - token),
          call.packed + offset(call.tokens, step) + (long) token / TOKENS * tokenStride(parts),
          count,
          columnMask);
    }
  }

  /**
   * {@code f(RDI x, RSI bytes from token to token, RDX tokens 1..16, RCX tiles, R8 steps, R9 column
   * mask)}: packs {@code steps} times 32 columns, of each 32 only those in the mask.
   */
  private static byte[] code(int parts) {
    var a = new Assembler();
    a.kmovd(k(1), Gpr.R9);
    a.shr(Gpr.R9, 16);
    a.kmovd(k(2), Gpr.R9);
    a.loop(
        Gpr.R8,
        () -> {
          a.zero(zmm(0));
          for (int line = 0; line < TOKENS * parts; line++) {
            a.store(VMOVDQU32_STORE, at(Gpr.RCX, LINE * line), zmm(0));
          }
          a.mov(Gpr.RAX, Gpr.RDI);
          a.mov(Gpr.R10, Gpr.RCX);
          a.mov(Gpr.R11, Gpr.RDX);
          a.loop(
              Gpr.R11,
              () -> {
                token(a, parts);
                a.add(Gpr.RAX, Gpr.RSI);
                a.add(Gpr.R10, LINE);
              });
          for (int part = 0; part < parts; part++) {
            transpose(a);
            a.add(Gpr.RCX, TILE);
          }
          a.add(Gpr.RDI, COLS * Float.BYTES);
        });
    a.vzeroupper();
    a.ret();
    return a.finish();
  }

  /** 32 columns of one token, pairs side by side: a line before the transposition. */
  private static void token(Assembler a, int parts) {
    Vec first = zmm(0);
    Vec last = zmm(1);
    a.op(VMOVDQU32_LOAD, first.zeroing(k(1)), at(Gpr.RAX));
    a.op(VMOVDQU32_LOAD, last.zeroing(k(2)), at(Gpr.RAX, 64));
    a.op(VCVTNE2PS2BF16, zmm(2), last, first);
    a.store(VMOVDQU32_STORE, at(Gpr.R10), zmm(2));
    if (parts == 2) {
      rest(a, first);
      rest(a, last);
      a.op(VCVTNE2PS2BF16, zmm(2), last, first);
      a.store(VMOVDQU32_STORE, at(Gpr.R10, TILE), zmm(2));
    }
  }

  /** {@code x -= bfloat16(x)}, exact. */
  private static void rest(Assembler a, Vec x) {
    a.op(VCVTNEPS2BF16, ymm(3), x);
    a.op(VPMOVZXWD, zmm(3), ymm(3));
    a.op(VPSLLD, zmm(3), zmm(3), 16);
    a.op(VSUBPS, x, x, zmm(3));
  }

  private static void transpose(Assembler a) {
    for (int line = 0; line < 16; line++) {
      a.op(VMOVDQU32_LOAD, zmm(line), at(Gpr.RCX, LINE * line));
    }
    Transpose.emit(a);
    for (int line = 0; line < 16; line++) {
      a.store(VMOVDQU32_STORE, at(Gpr.RCX, LINE * line), zmm(line));
    }
  }
}
