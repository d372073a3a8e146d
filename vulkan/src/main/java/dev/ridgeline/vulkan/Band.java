package dev.ridgeline.vulkan;

import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Products with results side by side, of matrices that lie one after the other: Q, K and V. */
record Band(List<Op.Product> products) {
  Weight weight() {
    return products.getFirst().weight();
  }

  int rows() {
    return products.stream().mapToInt(p -> p.weight().rows()).sum();
  }

  /** Rows of result i; 0 where there is none. */
  int rows(int i) {
    return i < products.size() ? products.get(i).weight().rows() : 0;
  }

  @Nullable Value out(int i) {
    return i < products.size() ? products.get(i).out() : null;
  }

  @Nullable Weight bias() {
    return products.getFirst().bias();
  }
}
