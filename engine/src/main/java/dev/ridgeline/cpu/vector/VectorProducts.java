package dev.ridgeline.cpu.vector;

import dev.ridgeline.cpu.kernel.ProductKernel;
import dev.ridgeline.tensor.DType;
import java.util.List;

/** The products that the Vector API can do: every format, any number of tokens. */
public final class VectorProducts {
  /** From this many tokens on, decoding a tile once for all of them pays. */
  private static final int TILE_TOKENS = 4;

  private VectorProducts() {}

  /** The kernels of {@code type}, which together cover every number of tokens once. */
  public static List<ProductKernel> kernels(DType type) {
    return List.of(new DotKernel(type, TILE_TOKENS - 1), new TileKernel(type, TILE_TOKENS));
  }
}
