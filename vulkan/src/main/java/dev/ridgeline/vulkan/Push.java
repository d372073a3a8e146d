package dev.ridgeline.vulkan;

import dev.ridgeline.vulkan.device.GpuDevice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Push constants in the order of a shader's block, whose layout is scalar: no padding but to 8. */
final class Push {
  private final ByteBuffer bytes =
      ByteBuffer.allocateDirect(GpuDevice.PUSH_BYTES).order(ByteOrder.nativeOrder());

  Push clear() {
    bytes.clear();
    return this;
  }

  /** Device addresses. */
  Push addresses(long... addresses) {
    for (long address : addresses) {
      bytes.putLong(address);
    }
    return this;
  }

  /** Unsigned 32-bit integers. */
  Push ints(int... values) {
    for (int value : values) {
      bytes.putInt(value);
    }
    return this;
  }

  Push floats(float... values) {
    for (float value : values) {
      bytes.putFloat(value);
    }
    return this;
  }

  /** What was put, ready to be read. */
  ByteBuffer done() {
    if (bytes.position() > 0) {
      bytes.flip();
    }
    return bytes;
  }
}
