package dev.ridgeline.cpu.machine;

import org.jspecify.annotations.Nullable;

/** What an instruction may name besides general registers: vectors, masks, memory. */
sealed interface Operand {
  /**
   * A vector register of 128, 256 or 512 bits.
   *
   * @param mask as a destination: number of the mask register that chooses elements; 0 for all
   * @param zeroing whether elements not chosen become zero instead of staying as they were
   */
  record Vec(int index, int bits, int mask, boolean zeroing) implements Operand {
    public Vec {
      if (index < 0 || index > 31 || (bits != 128 && bits != 256 && bits != 512)) {
        throw new IllegalArgumentException("no vector register " + index + " of " + bits + " bits");
      }
    }

    /** The same register, seen as 256 bits. */
    Vec ymm() {
      return new Vec(index, 256, mask, zeroing);
    }

    /** The same register, seen as 128 bits. */
    Vec xmm() {
      return new Vec(index, 128, mask, zeroing);
    }

    /** Writes only the elements that {@code k} chooses. */
    Vec merging(Mask k) {
      return new Vec(index, bits, k.index, false);
    }

    /** Writes the elements that {@code k} chooses and clears the others. */
    Vec zeroing(Mask k) {
      return new Vec(index, bits, k.index, true);
    }
  }

  /** An AVX-512 mask register; k0 cannot mask an instruction. */
  record Mask(int index) implements Operand {
    public Mask {
      if (index < 0 || index > 7) {
        throw new IllegalArgumentException("no mask register " + index);
      }
    }
  }

  /**
   * The memory at {@code base + index * scale + displacement}; without a base, the assembler's
   * constants at {@code displacement}.
   *
   * @param repeated whether one 32-bit element is read and repeated over the vector
   */
  record Mem(@Nullable Gpr base, @Nullable Gpr index, int scale, int displacement, boolean repeated)
      implements Operand {
    public Mem {
      if (Integer.bitCount(scale) != 1 || scale > 8 || index == Gpr.RSP) {
        throw new IllegalArgumentException("cannot address " + index + " * " + scale);
      }
    }

    /** This address, {@code bytes} further on. */
    Mem plus(int bytes) {
      return new Mem(base, index, scale, Math.addExact(displacement, bytes), repeated);
    }

    /** The 32-bit element at this address, repeated. */
    Mem repeat() {
      return new Mem(base, index, scale, displacement, true);
    }
  }

  /** 512-bit register {@code index}. */
  static Vec zmm(int index) {
    return new Vec(index, 512, 0, false);
  }

  /** 256-bit register {@code index}. */
  static Vec ymm(int index) {
    return zmm(index).ymm();
  }

  /** 128-bit register {@code index}. */
  static Vec xmm(int index) {
    return zmm(index).xmm();
  }

  /** Mask register {@code index}. */
  static Mask k(int index) {
    return new Mask(index);
  }

  /** The memory that {@code base} points to. */
  static Mem at(Gpr base) {
    return at(base, 0);
  }

  /** The memory {@code displacement} bytes past {@code base}. */
  static Mem at(Gpr base, int displacement) {
    return new Mem(base, null, 1, displacement, false);
  }

  /** The memory at {@code base + index * scale + displacement}. */
  static Mem at(Gpr base, Gpr index, int scale, int displacement) {
    return new Mem(base, index, scale, displacement, false);
  }
}
