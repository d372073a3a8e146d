package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Instruction.*;
import static dev.ridgeline.cpu.machine.Operand.at;
import static dev.ridgeline.cpu.machine.Operand.k;
import static dev.ridgeline.cpu.machine.Operand.tmm;
import static dev.ridgeline.cpu.machine.Operand.zmm;

import dev.ridgeline.cpu.machine.Assembler.Condition;
import dev.ridgeline.cpu.machine.Assembler.Label;
import dev.ridgeline.cpu.machine.Operand.Mem;
import dev.ridgeline.cpu.machine.Operand.Tile;
import dev.ridgeline.cpu.machine.Operand.Vec;
import dev.ridgeline.tensor.DType;

/**
 * Rows times tokens by AMX: weights are decoded to bfloat16 tiles of 16 rows by 32 columns,
 * activations are {@link AmxPacking}'s tiles, and {@code tdpbf16ps} adds their product, in float32,
 * to a tile of sums: 16 rows by 16 tokens. Of two parts of a weight and two of an activation, the
 * product of the two rests is left out.
 */
final class AmxBand extends Band {
  /** Tiles of 16 tokens. */
  static final int TOKEN_TILES = OWN;

  private static final int LAST_MASK_NOW = OWN + 8;
  private static final int SCALES = ROOM;
  private static final int WEIGHT_TILES = 4 << 10;
  private static final int SUMS = 36 << 10;

  private static final int TILE = AmxPacking.TILE;
  private static final int LINE = 64;

  private final AmxDecoder decoder;
  private final int weightParts;
  private final int activationParts;
  private final int chunkSteps;

  /**
   * @param activationParts tiles that hold an activation
   */
  AmxBand(DType type, int activationParts) {
    super(AmxPacking.chunkSteps(activationParts));
    decoder = AmxDecoder.of(a, type);
    weightParts = AmxDecoder.weightParts(type);
    this.activationParts = activationParts;
    chunkSteps = AmxPacking.chunkSteps(activationParts);
  }

  /** Bytes of a frame for up to {@code tokens} tokens. */
  static long frameBytes(int tokens) {
    return SUMS + (long) AmxPacking.tiles(tokens) * TILE * ROWS / HALF;
  }

  @Override
  protected void prepare() {
    a.ldtilecfg(a.constant(tileConfiguration()));
    decoder.prepare();
  }

  /** Palette 1, all eight tiles 16 lines of 64 bytes. */
  private static byte[] tileConfiguration() {
    byte[] configuration = new byte[64];
    configuration[0] = 1;
    for (int t = 0; t < 8; t++) {
      configuration[16 + 2 * t] = LINE;
      configuration[48 + t] = HALF;
    }
    return configuration;
  }

  @Override
  protected int chunkBytes() {
    return chunkSteps * COLS / decoder.cols() * decoder.bytes();
  }

  // R8: the row's line in the tiles, RCX: blocks of a row, R11: blocks left.

  @Override
  protected void decode() {
    if (decoder.cols() > COLS) {
      a.shr(Gpr.RCX, Integer.numberOfTrailingZeros(decoder.cols() / COLS));
    } else if (!decoder.type.isQuantized()) {
      splitLastStep();
    }
    a.lea(Gpr.R8, frame(WEIGHT_TILES));
    a.lea(Unpacker.SCALES, frame(SCALES));
    rows(this::row, () -> a.add(Gpr.R8, chunkSteps * TILE * weightParts - TILE));
  }

  /** Of plain types, notes the mask of a partial last step, or 0; RCX: whole steps. */
  private void splitLastStep() {
    var none = new Label();
    a.mov(Gpr.R10, 0);
    a.cmp(Gpr.RCX, frame(STEPS));
    a.jump(Condition.NOT_EQUAL, none);
    a.mov(Gpr.R10, frame(LAST_MASK));
    a.cmp(Gpr.R10, 0);
    a.jump(Condition.EQUAL, none);
    a.sub(Gpr.RCX, 1);
    a.bind(none);
    a.mov(frame(LAST_MASK_NOW), Gpr.R10);
  }

  private void row() {
    a.mov(Unpacker.BLOCK, Gpr.RDI);
    a.mov(AmxDecoder.OUT, Gpr.R8);
    if (decoder.type.isQuantized()) {
      a.mov(Gpr.R11, Gpr.RCX);
      a.loop(Gpr.R11, this::block);
    } else {
      plainRow();
    }
    a.add(Gpr.R8, LINE);
  }

  private void plainRow() {
    var last = new Label();
    var done = new Label();
    a.mov(Gpr.R11, -1);
    masks();
    a.mov(Gpr.R11, Gpr.RCX);
    a.cmp(Gpr.R11, 0);
    a.jump(Condition.EQUAL, last);
    a.loop(Gpr.R11, this::block);
    a.bind(last);
    a.mov(Gpr.R11, frame(LAST_MASK_NOW));
    a.cmp(Gpr.R11, 0);
    a.jump(Condition.EQUAL, done);
    masks();
    block();
    a.bind(done);
  }

  /** Masks 1 and 2 from R11. */
  private void masks() {
    a.kmovd(k(1), Gpr.R11);
    a.shr(Gpr.R11, 16);
    a.kmovd(k(2), Gpr.R11);
  }

  private void block() {
    decoder.block();
    a.add(Unpacker.BLOCK, decoder.bytes());
    a.add(AmxDecoder.OUT, decoder.cols() / COLS * TILE * weightParts);
  }

  // RAX: bytes from line to line, RSI: activations, RDX: sums, R8: tiles of tokens left, R10:
  // weights and R11: activations of this step, R12: steps left.

  @Override
  protected void multiply() {
    var pairs = new Label();
    var single = new Label();
    var done = new Label();
    a.mov(Gpr.RAX, LINE);
    a.mov(Gpr.RSI, frame(ACTIVATIONS));
    a.lea(Gpr.RDX, frame(SUMS));
    a.mov(Gpr.R8, frame(TOKEN_TILES));
    a.mov(Gpr.R9, frame(LATER_CHUNK));
    a.bind(pairs);
    a.cmp(Gpr.R8, 2);
    a.jump(Condition.BELOW, single);
    columns(2);
    a.sub(Gpr.R8, 2);
    a.jump(pairs);
    a.bind(single);
    a.cmp(Gpr.R8, 1);
    a.jump(Condition.BELOW, done);
    columns(1);
    a.bind(done);
    a.mov(frame(ACTIVATIONS), Gpr.RSI);
  }

  /** 32 rows by 16 or 32 tokens: tile 2 j + i has the sums of rows half i and tokens half j. */
  private void columns(int tokenTiles) {
    loadSums(2 * tokenTiles);
    a.lea(Gpr.R10, frame(WEIGHT_TILES));
    a.mov(Gpr.R11, Gpr.RSI);
    a.mov(Gpr.R12, frame(CHUNK));
    a.loop(
        Gpr.R12,
        () -> {
          for (int w = 0; w < weightParts; w++) {
            for (int x = 0; x < activationParts && w + x < 2; x++) {
              products(tokenTiles, w, x, x == 0);
            }
          }
          fetch();
          a.add(Gpr.R10, TILE * weightParts);
          a.add(Gpr.R11, TILE * activationParts);
        });
    for (int t = 0; t < 2 * tokenTiles; t++) {
      a.tilestore(at(Gpr.RDX, Gpr.RAX, 1, TILE * t), tmm(t));
    }
    a.add(Gpr.RDX, 2 * tokenTiles * TILE);
    a.add(Gpr.RSI, tokenTiles * tokenStride());
  }

  private int tokenStride() {
    return Math.toIntExact(AmxPacking.tokenStride(activationParts));
  }

  /**
   * Four products of 16 cycles hide four loads of up to 28. Activations pass by the level-1 cache,
   * so that the weights stay in it: 6.4 instead of 7.7 ns a product.
   */
  private void products(int tokenTiles, int weightPart, int activationPart, boolean loadWeights) {
    Tile[] weights = {tmm(4), tmm(5)};
    for (int j = 0; j < tokenTiles; j++) {
      Tile activations = tmm(6 + j);
      int offset = j * tokenStride() + TILE * activationPart;
      a.tileload(TILELOADDT1, activations, at(Gpr.R11, Gpr.RAX, 1, offset));
      for (int i = 0; i < 2; i++) {
        if (j == 0 && loadWeights) {
          int row = i * chunkSteps * TILE * weightParts + TILE * weightPart;
          a.tileload(TILELOADD, weights[i], at(Gpr.R10, Gpr.RAX, 1, row));
        }
        a.op(TDPBF16PS, tmm(2 * j + i), weights[i], activations);
      }
    }
  }

  private void loadSums(int tiles) {
    var cleared = new Label();
    var done = new Label();
    a.cmp(Gpr.R9, 0);
    a.jump(Condition.EQUAL, cleared);
    for (int t = 0; t < tiles; t++) {
      a.tileload(TILELOADD, tmm(t), at(Gpr.RDX, Gpr.RAX, 1, TILE * t));
    }
    a.jump(done);
    a.bind(cleared);
    for (int t = 0; t < tiles; t++) {
      a.tilezero(tmm(t));
    }
    a.bind(done);
  }

  // RDI: sums, RSI: out, RDX: bytes from token to token, RCX: tokens left, R8: whether to add.

  @Override
  protected void finish() {
    a.tilerelease();
    a.mov(Gpr.RAX, frame(ROW_MASK));
    a.kmovd(k(1), Gpr.RAX);
    a.shr(Gpr.RAX, HALF);
    a.kmovd(k(2), Gpr.RAX);
    a.lea(Gpr.RDI, frame(SUMS));
    a.mov(Gpr.RSI, frame(OUT));
    a.mov(Gpr.RDX, frame(OUT_STRIDE));
    a.mov(Gpr.RCX, frame(TOKENS));
    a.mov(Gpr.R8, frame(ADD));
    var tokens = new Label();
    var end = new Label();
    a.bind(tokens);
    for (int half = 0; half < 2; half++) {
      storeTile(half);
    }
    a.cmp(Gpr.RCX, AmxPacking.TOKENS);
    a.jump(Condition.BELOW, end);
    a.sub(Gpr.RCX, AmxPacking.TOKENS);
    a.jump(Condition.EQUAL, end);
    a.add(Gpr.RDI, 2 * TILE);
    a.mov(Gpr.RAX, Gpr.RDX);
    a.shl(Gpr.RAX, 4);
    a.add(Gpr.RSI, Gpr.RAX);
    a.jump(tokens);
    a.bind(end);
  }

  private void storeTile(int half) {
    var overwrite = new Label();
    var stored = new Label();
    for (int line = 0; line < HALF; line++) {
      a.op(VMOVDQU32_LOAD, zmm(line), at(Gpr.RDI, LINE * line + TILE * half));
    }
    Transpose.emit(a);
    a.cmp(Gpr.R8, 0);
    a.jump(Condition.EQUAL, overwrite);
    storeTokens(half, true, stored);
    a.jump(stored);
    a.bind(overwrite);
    storeTokens(half, false, stored);
    a.bind(stored);
  }

  private void storeTokens(int half, boolean add, Label stored) {
    a.mov(Gpr.RAX, Gpr.RSI);
    for (int token = 0; token < AmxPacking.TOKENS; token++) {
      Mem to = at(Gpr.RAX, LINE * half);
      Vec rows = zmm(token).merging(k(1 + half));
      if (add) {
        a.op(VADDPS, rows, zmm(token), to);
      }
      a.store(VMOVDQU32_STORE, to, rows);
      if (token < AmxPacking.TOKENS - 1) {
        a.cmp(Gpr.RCX, token + 1);
        a.jump(Condition.EQUAL, stored);
        a.add(Gpr.RAX, Gpr.RDX);
      }
    }
  }
}
