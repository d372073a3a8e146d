package dev.ridgeline.cpu;

import dev.ridgeline.cpu.kernel.GateKernel;
import dev.ridgeline.cpu.kernel.ProductKernel;
import dev.ridgeline.cpu.kernel.RowAttention;
import dev.ridgeline.cpu.kernel.RowDecoder;
import dev.ridgeline.cpu.kernel.RowKernel;
import dev.ridgeline.cpu.machine.MachineKernels;
import dev.ridgeline.cpu.vector.Rows;
import dev.ridgeline.cpu.vector.VectorProducts;
import dev.ridgeline.cpu.vector.VectorRows;
import dev.ridgeline.tensor.DType;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which product kernel serves which format and number of tokens; and which makes gates. */
final class KernelTable {
  private final Map<DType, ProductKernel[]> kernels = new EnumMap<>(DType.class);

  private final GateKernel gates;
  private final RowKernel rows;
  private final MachineKernels machine;

  /** The Vector API's kernels, behind those of {@code machine} where these fit. */
  KernelTable(MachineKernels machine) {
    List<ProductKernel> preferred = machine.kernels();
    this.machine = machine;
    gates = preferred.isEmpty() ? Rows::gate : machine.gates();
    rows = preferred.isEmpty() ? new VectorRows() : machine.rows();
    for (DType type : DType.values()) {
      if (type.isWeight()) {
        var all = new ArrayList<>(preferred);
        all.removeIf(k -> k.type() != type);
        all.addAll(VectorProducts.kernels(type));
        kernels.put(type, all.toArray(ProductKernel[]::new));
      }
    }
  }

  /** The kernels of a format, the best first; together they serve any number of tokens. */
  ProductKernel[] of(DType type) {
    ProductKernel[] found = kernels.get(type);
    if (found == null) {
      throw new IllegalArgumentException(type + " is not a weight format");
    }
    return found;
  }

  GateKernel gates() {
    return gates;
  }

  RowKernel rows() {
    return rows;
  }

  RowDecoder decoder(DType type) {
    return machine.kernels().isEmpty() ? VectorRows.decoder(type) : machine.decoder(type);
  }

  /** Attention of rows to values of so many elements, or null if there is no code for it. */
  @Nullable RowAttention rowAttention(int valueDim) {
    return machine.kernels().isEmpty() ? null : machine.attention(valueDim);
  }

  /** The best of {@code kernels} for {@code tokens} tokens. */
  static ProductKernel pick(ProductKernel[] kernels, int tokens) {
    for (ProductKernel kernel : kernels) {
      if (tokens >= kernel.minTokens() && tokens <= kernel.maxTokens()) {
        return kernel;
      }
    }
    throw new IllegalStateException("no kernel for " + tokens + " tokens");
  }
}
