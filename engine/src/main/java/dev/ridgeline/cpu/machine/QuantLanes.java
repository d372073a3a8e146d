package dev.ridgeline.cpu.machine;

import static dev.ridgeline.cpu.machine.Instruction.*;

import dev.ridgeline.cpu.machine.Operand.Mem;
import dev.ridgeline.cpu.machine.Operand.Vec;

/**
 * How wide a quant stands while a row is unpacked: 32 of them, as bytes in 256 bits or as 16-bit
 * words in 512. Shifts work on 16-bit words in both, so what they let into a byte from its
 * neighbour is masked away; with words, the upper bytes are 0.
 */
enum QuantLanes {
  BYTES(256),
  WORDS(512);

  private static final int COUNT = 32;

  private final int bits;

  QuantLanes(int bits) {
    this.bits = bits;
  }

  /** Register {@code index} as wide as 32 lanes. */
  Vec register(int index) {
    return new Vec(index, bits, 0, false);
  }

  /** Loads 32 bytes, one to a lane. */
  void load(Assembler a, Vec dst, Mem src) {
    a.op(this == BYTES ? VMOVDQU8_LOAD : VPMOVZXBW, dst, src);
  }

  /** Loads 16 bytes twice, one to a lane. */
  void loadTwice(Assembler a, Vec dst, Mem src) {
    a.op(VBROADCASTI32X4, dst.ymm(), src);
    if (this == WORDS) {
      a.op(VPMOVZXBW, dst, dst.ymm());
    }
  }

  /** Adds lane by lane. */
  void add(Assembler a, Vec dst, Vec first, Vec second) {
    a.op(this == BYTES ? VPADDB : VPADDW, dst, first, second);
  }

  /** The same value in every lane. */
  Mem constant(Assembler a, int value) {
    return halves(a, value, value);
  }

  /** One value in the first 16 lanes, another in the last 16. */
  Mem halves(Assembler a, int first, int last) {
    int bytesPerLane = bits / 8 / COUNT;
    byte[] all = new byte[bits / 8];
    for (int lane = 0; lane < COUNT; lane++) {
      all[lane * bytesPerLane] = (byte) (lane < COUNT / 2 ? first : last);
    }
    return a.constant(all);
  }

  /** Shift counts of 16-bit words: one for the words of the first 16 lanes, one for the others. */
  Mem shifts(Assembler a, int first, int last) {
    byte[] all = new byte[bits / 8];
    for (int i = 0; i < all.length; i += 2) {
      all[i] = (byte) (i < all.length / 2 ? first : last);
    }
    return a.constant(all);
  }
}
