package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Instruction.*;
import static dev.ridgeline.cpu.machine.Operand.at;
import static dev.ridgeline.cpu.machine.Operand.k;
import static dev.ridgeline.cpu.machine.Operand.zmm;

import dev.ridgeline.cpu.machine.Operand.Vec;
import dev.ridgeline.tensor.DType;
import java.util.Arrays;

/**
 * Emits the code that decodes one block of a weight's row to bfloat16: 64 bytes for each 32
 * columns, a line of a tile; lines of consecutive columns are a tile (times parts) apart.
 *
 * <p>The block is at {@link Unpacker#BLOCK}, the lines go to {@link #OUT}; vector registers below 8
 * are overwritten.
 */
abstract class AmxDecoder {
  /** Points to the line of the block's first 32 columns. */
  static final Gpr OUT = Gpr.RAX;

  protected static final int TILE = AmxPacking.TILE;

  protected final Assembler a;
  protected final DType type;

  protected AmxDecoder(Assembler a, DType type) {
    this.a = a;
    this.type = type;
  }

  static AmxDecoder of(Assembler a, DType type) {
    return switch (type) {
      case F16 -> new Halves(a);
      case BF16 -> new Copied(a);
      default -> new Blocks(a, type);
    };
  }

  /** Tiles that hold a weight: 2 where bfloat16 would lose bits of it. */
  static int weightParts(DType type) {
    return type == DType.F16 ? 2 : 1;
  }

  /** Columns of a block: the smallest unit of decoding. */
  final int cols() {
    return Math.max(type.blockElements(), AmxPacking.COLS);
  }

  final int bytes() {
    return Math.toIntExact(type.bytes(cols()));
  }

  /** Emits, before any loop, what fills the constant registers. */
  abstract void prepare();

  /**
   * Emits the decoding of one block; of a plain type, of the columns in the masks 1 (all 32, or the
   * first 16) and 2 (the last 16).
   */
  abstract void block();

  /**
   * Up to 32 levels, the values of a sub-block are computed once, {@code scale * level - minimum}
   * in float32, rounded into one register, and looked up by index; with more levels, each element
   * is converted and multiplied.
   */
  private static final class Blocks extends AmxDecoder {
    private static final int TABLE_LEVELS = 32;
    private static final int HALF = 16;

    private final Unpacker unpacker;
    private Vec levelsLow = zmm(0);
    private Vec levelsHigh = zmm(0);
    private Vec lastHalf = zmm(0);
    private Vec zeroLevel = zmm(0);

    Blocks(Assembler a, DType type) {
      super(a, type);
      unpacker = Unpacker.of(type, a, QuantLanes.WORDS);
    }

    @Override
    void prepare() {
      unpacker.prepare();
      int[] levels = unpacker.levels();
      if (levels.length > TABLE_LEVELS) {
        int zero = levels[0] & 0xFFFF;
        int[] words = new int[16];
        Arrays.fill(words, zero << 16 | zero);
        zeroLevel = unpacker.keep(a.constant(words));
        return;
      }
      // Short lists of levels repeat, so that higher bits of an index do not matter.
      float[] low = new float[HALF];
      float[] high = new float[HALF];
      for (int i = 0; i < HALF; i++) {
        low[i] = levels[i % levels.length];
        high[i] = levels[(i + HALF) % levels.length];
      }
      levelsLow = unpacker.keep(a.constant(low));
      levelsHigh = levels.length > HALF ? unpacker.keep(a.constant(high)) : levelsLow;
      if (unpacker.scalesPerGroup() == 2) {
        lastHalf = unpacker.keep(QuantLanes.WORDS.halves(a, 0, HALF));
      }
    }

    @Override
    void block() {
      unpacker.scales();
      for (int group = 0; group < unpacker.groups(); group++) {
        Vec indices = zmm(2);
        Vec values = zmm(3);
        if (unpacker.levels().length <= TABLE_LEVELS) {
          table(group, values);
          unpacker.indices(group, indices);
          if (unpacker.scalesPerGroup() == 2) {
            a.op(VPORD, indices, indices, lastHalf);
          }
          a.op(VPERMW, values, indices, values);
        } else {
          converted(group, indices, values);
        }
        a.store(VMOVDQU32_STORE, at(OUT, TILE * group), values);
      }
    }

    /** The values of up to 32 levels; with two scales a group, of 16 levels under each. */
    private void table(int group, Vec dst) {
      int first = group * unpacker.scalesPerGroup();
      int last = first + unpacker.scalesPerGroup() - 1;
      values(first, levelsLow, zmm(4));
      if (last == first && levelsHigh.equals(levelsLow)) {
        a.op(VCVTNE2PS2BF16, dst, zmm(4), zmm(4));
      } else {
        values(last, levelsHigh, zmm(5));
        a.op(VCVTNE2PS2BF16, dst, zmm(5), zmm(4));
      }
    }

    private void values(int subBlock, Vec levels, Vec dst) {
      if (unpacker.hasMinimums()) {
        a.op(VPBROADCASTD, dst, Unpacker.minimum(subBlock));
        a.op(VFMSUB231PS, dst, levels, Unpacker.scale(subBlock).repeat());
      } else {
        a.op(VMULPS, dst, levels, Unpacker.scale(subBlock).repeat());
      }
    }

    private void converted(int group, Vec indices, Vec values) {
      int first = group * unpacker.scalesPerGroup();
      unpacker.indices(group, indices);
      a.op(VPADDW, indices, indices, zeroLevel);
      a.op(VPMOVSXWD, zmm(4), indices.ymm());
      a.extract(VEXTRACTI64X4, indices.ymm(), indices, 1);
      a.op(VPMOVSXWD, zmm(5), indices.ymm());
      a.op(VCVTDQ2PS, zmm(4), zmm(4));
      a.op(VCVTDQ2PS, zmm(5), zmm(5));
      a.op(VMULPS, zmm(4), zmm(4), Unpacker.scale(first).repeat());
      a.op(VMULPS, zmm(5), zmm(5), Unpacker.scale(first + unpacker.scalesPerGroup() - 1).repeat());
      a.op(VCVTNE2PS2BF16, values, zmm(5), zmm(4));
    }
  }

  /** F16: the upper 8 bits of the significand, and the other 3. */
  private static final class Halves extends AmxDecoder {
    private Vec upper = zmm(0);

    Halves(Assembler a) {
      super(a, DType.F16);
    }

    @Override
    void prepare() {
      upper = zmm(31);
      a.op(VPBROADCASTD, upper, a.constant(0xFFFF0000));
    }

    @Override
    void block() {
      for (int half = 0; half < 2; half++) {
        Vec x = zmm(half);
        Vec top = zmm(2 + half);
        a.op(VCVTPH2PS, x.zeroing(k(1 + half)), at(Unpacker.BLOCK, 32 * half));
        a.op(VPANDD, top, x, upper);
        a.op(VSUBPS, x, x, top);
      }
      a.op(VCVTNE2PS2BF16, zmm(2), zmm(3), zmm(2));
      a.op(VCVTNE2PS2BF16, zmm(0), zmm(1), zmm(0));
      a.store(VMOVDQU32_STORE, at(OUT), zmm(2));
      a.store(VMOVDQU32_STORE, at(OUT, TILE), zmm(0));
    }
  }

  /** BF16: as it is. */
  private static final class Copied extends AmxDecoder {
    Copied(Assembler a) {
      super(a, DType.BF16);
    }

    @Override
    void prepare() {}

    @Override
    void block() {
      a.op(VMOVDQU16_LOAD, zmm(0).zeroing(k(1)), at(Unpacker.BLOCK));
      a.store(VMOVDQU32_STORE, at(OUT), zmm(0));
    }
  }
}
