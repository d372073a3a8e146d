package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.vector.Lanes.N;
import static dev.ridgeline.cpu.vector.Lanes.load;
import static dev.ridgeline.cpu.vector.Lanes.store;

import dev.ridgeline.cpu.kernel.Memory;
import jdk.incubator.vector.VectorOperators;

/** Formats without blocks. */
final class DecodePlain {
  private DecodePlain() {}

  static void f32(long from, long to, int elements) {
    int whole = elements & -N;
    for (int i = 0; i < whole; i += N) {
      store(load(from + 4L * i), to + 4L * i);
    }
    for (int i = whole; i < elements; i++) {
      Memory.f32(to + 4L * i, Memory.f32(from + 4L * i));
    }
  }

  static void f16(long from, long to, int elements) {
    int whole = elements & -N;
    for (int i = 0; i < whole; i += N) {
      store(Lanes.f16(from + 2L * i), to + 4L * i);
    }
    for (int i = whole; i < elements; i++) {
      Memory.f32(to + 4L * i, Memory.f16(from + 2L * i));
    }
  }

  static void bf16(long from, long to, int elements) {
    int whole = elements & -N;
    for (int i = 0; i < whole; i += N) {
      store(
          Lanes.i16(from + 2L * i).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(),
          to + 4L * i);
    }
    for (int i = whole; i < elements; i++) {
      Memory.i32(to + 4L * i, Memory.u16(from + 2L * i) << 16);
    }
  }
}
