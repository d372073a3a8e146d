package dev.ridgeline.vulkan.device;

/** A compiled compute shader; lives as long as its device. */
public final class GpuPipeline {
  final long handle;
  private final String name;

  GpuPipeline(long handle, String name) {
    this.handle = handle;
    this.name = name;
  }

  @Override
  public String toString() {
    return name;
  }
}
