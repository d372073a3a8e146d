package dev.ridgeline.cpu.kernel;

/**
 * How float32 activations {@code [tokens, cols]} are laid out for a kernel: quantized, permuted,
 * interleaved. Kernels that want the same share one instance, and one packed copy. Stateless.
 */
public interface Packing {
  /** Activations as they are: {@code float32 [tokens, cols]}, nothing to pack. */
  Packing NONE =
      new Packing() {
        @Override
        public long bytes(int tokens, int cols) {
          return 0;
        }

        @Override
        public int unitCols() {
          return 1;
        }

        @Override
        public void pack(PackCall call) {
          throw new IllegalStateException("unpacked activations are used in place");
        }
      };

  /** Bytes that {@code tokens} rows take; never falls when {@code tokens} grows. */
  long bytes(int tokens, int cols);

  /** Column ranges begin at multiples of this, and end at one or at the last column. */
  int unitCols();

  /** Packs some columns of all tokens; threads pack different columns of one copy at once. */
  void pack(PackCall call);
}
