package dev.ridgeline.cpu.vector;

import static dev.ridgeline.cpu.kernel.Memory.ALL;
import static dev.ridgeline.cpu.kernel.Memory.MASK;
import static dev.ridgeline.cpu.vector.KvLayout.GROUP;
import static dev.ridgeline.cpu.vector.KvLayout.SCALE_ELEMENTS;
import static dev.ridgeline.cpu.vector.Lanes.F;
import static dev.ridgeline.cpu.vector.Lanes.I;
import static dev.ridgeline.cpu.vector.Lanes.LE;
import static dev.ridgeline.cpu.vector.Lanes.N;
import static dev.ridgeline.cpu.vector.Lanes.S;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.S2I;

import dev.ridgeline.backend.KvType;
import dev.ridgeline.cpu.kernel.Memory;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/**
 * The keys and values of one layer: writes them token by token, reads them {@link KvLayout#GROUP}
 * tokens of one head at a time as rows of {@link Gemm}'s panels.
 */
public final class KvStore {
  private final KvLayout layout;
  private final long storage;
  private final int blockTokens;
  private final boolean f16;

  /** Over {@code storage}, the address of the layer's blocks. */
  public KvStore(KvLayout layout, long storage) {
    this.layout = layout;
    this.storage = storage;
    this.blockTokens = layout.blockTokens();
    this.f16 = layout.type() == KvType.F16;
  }

  KvLayout layout() {
    return layout;
  }

  /** Stores the key and the value of one head of one token; {@code slot < blockTokens}. */
  public void write(int block, int slot, int head, long key, long value) {
    long keys = layout.keys(storage, block, head);
    long values = layout.values(storage, block, head);
    int keyDim = layout.layer().keyDim();
    int valueDim = layout.layer().valueDim();
    if (f16) {
      storeF16(key, keyDim, keys + 2L * slot, 2L * blockTokens);
      storeF16(value, valueDim, values + 2L * slot * layout.layer().valueDim(), 2);
    } else {
      storeQ8(
          key,
          keyDim,
          keys + slot,
          blockTokens,
          keys + layout.keyCodeBytes() + 2L * slot,
          2L * blockTokens);
      int scales = valueDim / SCALE_ELEMENTS;
      storeQ8(
          value,
          valueDim,
          values + (long) slot * valueDim,
          1,
          values + layout.valueCodeBytes() + 2L * slot * scales,
          2);
    }
  }

  private static void storeF16(long from, int count, long to, long step) {
    for (int i = 0; i < count; i++) {
      Memory.i16(to + i * step, Float.floatToFloat16(Memory.f32(from + 4L * i)));
    }
  }

  private static void storeQ8(
      long from, int count, long to, long step, long scales, long scaleStep) {
    for (int i = 0; i < count; i += SCALE_ELEMENTS) {
      float max = 0;
      for (int j = 0; j < SCALE_ELEMENTS; j++) {
        max = Math.max(max, Math.abs(Memory.f32(from + 4L * (i + j))));
      }
      short scale = Float.floatToFloat16(max / 127);
      float d = Float.float16ToFloat(scale);
      float inverse = d == 0 ? 0 : 1 / d;
      for (int j = 0; j < SCALE_ELEMENTS; j++) {
        int code = Math.round(Memory.f32(from + 4L * (i + j)) * inverse);
        Memory.i8(to + (i + j) * step, (byte) Math.clamp(code, -127, 127));
      }
      Memory.i16(scales, scale);
      scales += scaleStep;
    }
  }

  /**
   * Reads elements {@code from .. from + count} of GROUP neighbouring keys to {@code panel[element
   * - from][token]}, rows of {@link Gemm#PANEL_BYTES}; where a panel is narrower than GROUP, the
   * further tokens go to the panels {@code panelBytes} on.
   */
  void readKeys(int block, int slot, int head, int from, int count, long panel, long panelBytes) {
    long keys = layout.keys(storage, block, head);
    for (int i = 0; i < GROUP; i += N) {
      long to = panel + i / Gemm.PANEL * panelBytes + i % Gemm.PANEL * 4L;
      if (f16) {
        readKeysF16(keys + 2L * (from * blockTokens + slot + i), 2L * blockTokens, count, to);
      } else {
        long scales = keys + layout.keyCodeBytes() + 2L * (slot + i);
        for (int d = from; d < from + count; d += SCALE_ELEMENTS) {
          readKeysQ8(
              keys + (long) d * blockTokens + slot + i,
              blockTokens,
              scales + 2L * (d / SCALE_ELEMENTS) * blockTokens,
              to + (long) (d - from) * Gemm.PANEL_BYTES);
        }
      }
    }
  }

  /**
   * As {@link #readKeys}, for one token, element by element: where blocks are not whole groups.
   *
   * @param to address of element {@code from}
   */
  void readKey(int block, int slot, int head, int from, int count, long to) {
    long keys = layout.keys(storage, block, head);
    long scales = keys + layout.keyCodeBytes() + 2L * slot;
    for (int d = from; d < from + count; d++) {
      long index = (long) d * blockTokens + slot;
      float x =
          f16
              ? Memory.f16(keys + 2 * index)
              : Memory.i8(keys + index)
                  * Memory.f16(scales + 2L * (d / SCALE_ELEMENTS) * blockTokens);
      Memory.f32(to + (long) (d - from) * Gemm.PANEL_BYTES, x);
    }
  }

  private static void readKeysF16(long from, long step, int count, long to) {
    for (int d = 0; d < count; d++) {
      IntVector h =
          ((IntVector)
                  ShortVector.fromMemorySegment(S, ALL, from + d * step & MASK, LE)
                      .convertShape(S2I, I, 0))
              .lanewise(LSHL, 13);
      IntVector m = h.and(0x0FFF_E000).add(112 << 23);
      FloatVector twice =
          m.reinterpretAsFloats()
              .fma(FloatVector.broadcast(F, 2), FloatVector.broadcast(F, -0x1p-14f));
      m.min(twice.reinterpretAsInts())
          .or(h.and(0x8000_0000))
          .intoMemorySegment(ALL, to + (long) d * Gemm.PANEL_BYTES & MASK, LE);
    }
  }

  private static void readKeysQ8(long from, long step, long scales, long to) {
    readKeysF16(scales, 0, 1, to);
    FloatVector scale = FloatVector.fromMemorySegment(F, ALL, to & MASK, LE);
    for (int d = 0; d < SCALE_ELEMENTS; d++) {
      ((FloatVector) Lanes.i8(from + d * step).convert(I2F, 0))
          .mul(scale)
          .intoMemorySegment(ALL, to + (long) d * Gemm.PANEL_BYTES & MASK, LE);
    }
  }

  /**
   * Reads the values of {@code count} neighbouring tokens to {@code panel[token][element]}, rows of
   * {@link Gemm#PANEL_BYTES}, elements past a panel's to the panels {@code panelBytes} on.
   */
  void readValues(int block, int slot, int head, int count, long panel, long panelBytes) {
    long values = layout.values(storage, block, head);
    int width = layout.layer().valueDim();
    int scales = width / SCALE_ELEMENTS;
    int e = 0;
    for (; e + N <= width; e += N) {
      long to = panel + e / Gemm.PANEL * panelBytes + e % Gemm.PANEL * 4L;
      if (f16) {
        readValuesF16(values + 2L * ((long) slot * width + e), 2L * width, count, to);
      } else {
        readValuesQ8(
            values + (long) slot * width + e,
            width,
            values + layout.valueCodeBytes() + 2L * (slot * scales + e / SCALE_ELEMENTS),
            2L * scales,
            count,
            to);
      }
    }
    for (; e < width; e++) {
      long to = panel + e / Gemm.PANEL * panelBytes + e % Gemm.PANEL * 4L;
      for (int token = 0; token < count; token++) {
        float v = Memory.f16(values + 2L * ((long) (slot + token) * width + e));
        Memory.f32(to + (long) token * Gemm.PANEL_BYTES, v);
      }
    }
  }

  private static void readValuesF16(long from, long step, int count, long to) {
    for (int token = 0; token < count; token++) {
      IntVector h =
          ((IntVector)
                  ShortVector.fromMemorySegment(S, ALL, from + token * step & MASK, LE)
                      .convertShape(S2I, I, 0))
              .lanewise(LSHL, 13);
      IntVector m = h.and(0x0FFF_E000).add(112 << 23);
      FloatVector twice =
          m.reinterpretAsFloats()
              .fma(FloatVector.broadcast(F, 2), FloatVector.broadcast(F, -0x1p-14f));
      m.min(twice.reinterpretAsInts())
          .or(h.and(0x8000_0000))
          .intoMemorySegment(ALL, to + (long) token * Gemm.PANEL_BYTES & MASK, LE);
    }
  }

  private static void readValuesQ8(
      long from, long step, long scales, long scaleStep, int count, long to) {
    for (int token = 0; token < count; token++) {
      ((FloatVector) Lanes.i8(from + token * step).convert(I2F, 0))
          .mul(Memory.f16(scales + token * scaleStep))
          .intoMemorySegment(ALL, to + (long) token * Gemm.PANEL_BYTES & MASK, LE);
    }
  }
}
