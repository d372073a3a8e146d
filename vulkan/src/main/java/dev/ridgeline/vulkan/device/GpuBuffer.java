package dev.ridgeline.vulkan.device;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A buffer with its own memory, which shaders reach through {@link #address()}. Freed by {@link
 * #close()}, not before the device has finished with it.
 */
public final class GpuBuffer implements AutoCloseable {
  /** Where the bytes live and who may touch them. */
  public enum Use {
    /** In the device's memory; only the device reads and writes it. */
    DEVICE,
    /** Mapped; the host writes, the device reads, from device memory where it can be mapped. */
    UPLOAD,
    /** Mapped, in the host's memory, where the device's copy engine reads it. */
    PINNED,
    /** In the device's memory; written by a {@link QueueCopy}. */
    STAGED,
    /** Mapped; the device writes, the host reads, through its caches. */
    READBACK
  }

  private final GpuDevice device;
  private final long bytes;
  private final long address;
  private final @Nullable MemorySegment mapped;
  final long handle;
  private final long memory;

  GpuBuffer(
      GpuDevice device,
      long bytes,
      long handle,
      long memory,
      long address,
      @Nullable MemorySegment mapped) {
    this.device = device;
    this.bytes = bytes;
    this.handle = handle;
    this.memory = memory;
    this.address = address;
    this.mapped = mapped;
  }

  /** Its size. */
  public long bytes() {
    return bytes;
  }

  /** Where shaders find its first byte; a multiple of 16. */
  public long address() {
    return address;
  }

  /**
   * Its bytes, for the host.
   *
   * @throws IllegalStateException for {@link Use#DEVICE} memory
   */
  public MemorySegment mapped() {
    if (mapped == null) {
      throw new IllegalStateException("a buffer of device memory is not mapped");
    }
    return mapped;
  }

  @Override
  public void close() {
    device.closed(handle, memory, bytes);
  }
}
