package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Instruction.*;
import static dev.ridgeline.cpu.machine.Operand.at;
import static dev.ridgeline.cpu.machine.Operand.zmm;

import dev.ridgeline.cpu.machine.Operand.Mem;
import dev.ridgeline.cpu.machine.Operand.Vec;
import dev.ridgeline.tensor.DType;

/**
 * Emits the code that takes one block of a quantized format apart, into an index for each element
 * and a scale (and minimum) for each sub-block: {@code x = scale * level[index] - minimum}. What
 * becomes of them is the caller's; so one description of a format serves both the byte and the tile
 * kernels.
 *
 * <p>The code finds the block at {@link #BLOCK}, leaves scales at {@link #SCALES} and minimums
 * {@link #MINIMUMS} bytes further, and uses vector registers below 8 freely; constants occupy
 * registers from 31 downwards.
 */
abstract class Unpacker {
  /** Points to the block. */
  static final Gpr BLOCK = Gpr.R10;

  /** Points to where this block's scales go: float32, one a sub-block. */
  static final Gpr SCALES = Gpr.R9;

  /** Bytes from the scale of a sub-block to its minimum. */
  static final int MINIMUMS = 2048;

  /** Elements that {@link #indices} handles at once. */
  static final int GROUP = 32;

  /** Value 128 in a byte kernel is a weight of 0, where there are no minimums. */
  static final int BYTE_ZERO = 128;

  protected final Assembler a;
  protected final QuantLanes lanes;
  private final DType type;
  private int constants = 32;

  protected Unpacker(DType type, Assembler a, QuantLanes lanes) {
    this.type = type;
    this.a = a;
    this.lanes = lanes;
  }

  /** The code for one format. */
  static Unpacker of(DType type, Assembler a, QuantLanes lanes) {
    return switch (type) {
      case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, IQ4_NL, MXFP4, IQ4_XS -> new NibbleBlocks(type, a, lanes);
      case Q2_K, Q3_K, Q4_K, Q5_K, Q6_K -> new PlaneBlocks(type, a, lanes);
      default -> throw new IllegalArgumentException(type + " has no blocks");
    };
  }

  final DType type() {
    return type;
  }

  /** Groups of 32 elements in a block. */
  final int groups() {
    return type.blockElements() / GROUP;
  }

  /** Sub-blocks, each with its own scale, in a group of 32 elements: 1 or 2. */
  final int scalesPerGroup() {
    return switch (type) {
      case Q2_K, Q3_K, Q6_K -> 2;
      default -> 1;
    };
  }

  /** Whether sub-blocks have a minimum besides their scale. */
  final boolean hasMinimums() {
    return switch (type) {
      case Q4_1, Q5_1, Q2_K, Q4_K, Q5_K -> true;
      default -> false;
    };
  }

  /** {@code level[index]}: what the indices stand for. */
  final int[] levels() {
    return switch (type) {
      case IQ4_NL, IQ4_XS ->
          new int[] {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
      case MXFP4 -> new int[] {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
      case Q2_K -> range(4, 0);
      case Q3_K -> range(8, 4);
      case Q4_0 -> range(16, 8);
      case Q4_1, Q4_K -> range(16, 0);
      case Q5_0 -> range(32, 16);
      case Q5_1, Q5_K -> range(32, 0);
      case Q6_K -> range(64, 32);
      case Q8_0 -> range(256, 128);
      default -> throw new IllegalStateException(type + " has no levels");
    };
  }

  /** Whether levels are not evenly spaced, so that they must be looked up. */
  final boolean hasCodebook() {
    return switch (type) {
      case IQ4_NL, IQ4_XS, MXFP4 -> true;
      default -> false;
    };
  }

  private static int[] range(int levels, int zero) {
    int[] values = new int[levels];
    for (int i = 0; i < levels; i++) {
      values[i] = i - zero;
    }
    return values;
  }

  /** Emits, before any loop, what fills the constant registers. */
  abstract void prepare();

  /** Emits what writes the scales (and minimums) of the block. */
  abstract void scales();

  /** Emits what leaves the indices of the elements of {@code group} in {@code dst}'s lanes. */
  abstract void indices(int group, Vec dst);

  /** Emits, before any loop, what keeps a constant in a register of its own. */
  final Vec keep(Mem constant, int bits) {
    Vec register = new Vec(--constants, bits, 0, false);
    a.op(VMOVDQU32_LOAD, register, constant);
    return register;
  }

  /** A constant as wide as the lanes, in a register of its own. */
  final Vec keep(Mem constant) {
    return keep(constant, lanes.register(0).bits());
  }

  /** Emits what repeats the float16 at {@code offset} of the block, as float32, in {@code dst}. */
  protected final void half(Vec dst, int offset) {
    a.op(VPBROADCASTW, dst.ymm(), at(BLOCK, offset));
    a.op(VCVTPH2PS, dst, dst.ymm());
  }

  /** Bytes of the block from {@code offset} on. */
  protected static Mem block(int offset) {
    return at(BLOCK, offset);
  }

  /** The scale of sub-block {@code i}. */
  static Mem scale(int i) {
    return at(SCALES, Float.BYTES * i);
  }

  /** The minimum of sub-block {@code i}. */
  static Mem minimum(int i) {
    return at(SCALES, MINIMUMS + Float.BYTES * i);
  }

  /** Free vector register {@code i}, 512 bits. */
  protected static Vec temporary(int i) {
    return zmm(i);
  }
}
