package dev.ridgeline.cpu.kernel;

/** Rows of one weight format to float32. Stateless; any number of threads call one. */
public interface RowDecoder {
  /** Bytes of private scratch that a call needs, aligned to 64. */
  long scratchBytes();

  /** Decodes {@code elements} elements (whole blocks) at {@code from} to float32 at {@code to}. */
  void decode(long from, long to, int elements, long scratch);
}
