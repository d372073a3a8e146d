package dev.ridgeline.cpu;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Degradation;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.InputListener;
import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.backend.MemoryPlan;
import dev.ridgeline.backend.Weights;
import dev.ridgeline.cpu.machine.MachineKernels;
import dev.ridgeline.cpu.vector.Lanes;
import dev.ridgeline.cpu.vector.VectorSelfTest;
import dev.ridgeline.graph.Graph;
import java.util.ArrayList;
import java.util.List;

/** Runs graphs on the processor's cores with kernels at its vector width. */
public final class CpuBackend implements Backend {
  private final WorkerPool pool;
  private final MachineKernels machine =
      Lanes.FORCED
          ? new MachineKernels("off: " + Lanes.BITS_PROPERTY + " is set", List.of())
          : MachineKernels.find();
  private final KernelTable kernels = new KernelTable(machine);

  /** Starts the threads. */
  public CpuBackend(BackendOptions options) {
    pool = new WorkerPool(options.threads() == 0 ? Cores.physical() : options.threads());
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public String description() {
    return "Vector API, %d bits; machine code: %s; %d threads"
        .formatted(Lanes.BITS, machine.instructions(), pool.threads());
  }

  @Override
  public MemoryPlan plan(Graph graph, Capacity capacity) {
    return new Plan(graph, capacity, kernels, pool.threads()).memory();
  }

  @Override
  public Executable compile(Graph graph, Weights weights, Capacity capacity) {
    return new CpuExecutable(graph, weights, capacity, kernels, pool, null);
  }

  @Override
  public Executable compile(
      Graph graph, Weights weights, Capacity capacity, InputListener listener) {
    return new CpuExecutable(graph, weights, capacity, kernels, pool, listener);
  }

  @Override
  public int threads() {
    return pool.threads();
  }

  @Override
  public MachineLimits measureLimits() {
    return MachineProbe.measure(pool, machine);
  }

  @Override
  public List<Degradation> degradations() {
    var all = new ArrayList<Degradation>();
    if (!VectorSelfTest.hasC2()) {
      all.add(Degradation.NO_C2);
    }
    if (machine.kernels().isEmpty()) {
      all.add(Degradation.NO_NATIVE_KERNELS);
    }
    if (pool.threads() > Runtime.getRuntime().availableProcessors()) {
      all.add(Degradation.MORE_THREADS_THAN_CORES);
    }
    if (pool.threads() < Cores.physical()) {
      all.add(Degradation.FEWER_THREADS_THAN_CORES);
    }
    return all;
  }

  @Override
  public List<Degradation> selfTest() {
    return VectorSelfTest.run().stream().toList();
  }

  @Override
  public void close() {
    pool.close();
  }
}
