package dev.ridgeline.backend;

/**
 * Everything that can make Ridgeline slower than it could be on a machine, by name. Each is logged
 * once when it happens and listed by {@code ridgeline doctor}; nothing degrades silently.
 */
public enum Degradation {
  /** The Vector API's module is not there; every kernel is the scalar reference. */
  NO_VECTOR_MODULE("the JVM runs without --add-modules jdk.incubator.vector: scalar kernels"),
  /** C2 is off or replaced, so that vectors become objects. */
  NO_C2("the JVM's C2 compiler is off: vector kernels would run interpreted or boxed"),
  /** A kernel put vectors on the heap in the start-up self-test. */
  BOXED_VECTORS("a kernel allocates while it runs: C2 did not keep its vectors in registers"),
  /** The machine code kernels could not be installed. */
  NO_NATIVE_KERNELS("machine-code kernels are off: products of many tokens use the Vector API"),
  /** Weight formats without a fast kernel: on the reference backend, all of them. */
  SCALAR_FORMAT("weight formats have no fast kernel here: their products run on scalar code"),
  /** Fewer threads than physical cores. */
  FEWER_THREADS_THAN_CORES("fewer threads than physical cores"),
  /** More threads than cores the process may use. */
  MORE_THREADS_THAN_CORES(
      "more threads than available cores: spinning workers will be descheduled");

  private final String text;

  Degradation(String text) {
    this.text = text;
  }

  /** What happened and what it costs, for people. */
  public String text() {
    return text;
  }
}
