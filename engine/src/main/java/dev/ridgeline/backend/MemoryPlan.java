package dev.ridgeline.backend;

/**
 * Bytes that compiling a graph takes, by lifetime.
 *
 * @param weightBytes weights read in place from the file (mapped) or held on the device
 * @param repackedBytes weights held a second time in another layout; 0 where none is
 * @param kvBytes KV blocks
 * @param activationBytes values and scratch of one step
 * @param stagingBytes transfer buffers
 */
public record MemoryPlan(
    long weightBytes, long repackedBytes, long kvBytes, long activationBytes, long stagingBytes) {
  /** All of it. */
  public long totalBytes() {
    return weightBytes + repackedBytes + kvBytes + activationBytes + stagingBytes;
  }
}
