package dev.ridgeline.cpu.kernel;

import dev.ridgeline.graph.Activation;

/** {@code out = act(gate) * up}, element by element. Stateless; any number of threads call one. */
@FunctionalInterface
public interface GateKernel {
  /** Of {@code count} float32 at each address; {@code out} may be {@code gate}. */
  void gate(Activation activation, long gate, long up, long out, int count);
}
