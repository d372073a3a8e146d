package dev.ridgeline.cpu.kernel;

import dev.ridgeline.tensor.DType;

/**
 * One way to multiply weights of one format by rows of activations: {@code out[t, r] = sum_i x[t,
 * i] * w[r, i]}. Stateless: any number of threads call one kernel at once, each with its own {@link
 * ProductCall}. Works from the weights as they lie in the file.
 *
 * <p>A kernel sees raw addresses: whoever binds weights and buffers has checked that every byte the
 * call names is there, and kernels touch no byte beyond those.
 */
public interface ProductKernel {
  /** For profiles and {@code doctor}, such as {@code "vector512 q4_k"}. */
  String name();

  /** Format of the weights. */
  DType type();

  /** Fewest tokens of a call this kernel is for. */
  int minTokens();

  /** Most tokens of a call this kernel is for. */
  int maxTokens();

  /** How it wants its activations. */
  Packing packing();

  /** Bands begin at multiples of this many rows of the weight, and end at one or at its end. */
  int rowUnit();

  /** Bytes of private scratch that a call needs, aligned to 64. */
  long scratchBytes(int cols);

  /** Multiplies one band of rows. Allocates nothing. */
  void multiply(ProductCall call);
}
