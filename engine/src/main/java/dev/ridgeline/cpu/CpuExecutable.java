package dev.ridgeline.cpu;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.InputListener;
import dev.ridgeline.backend.Step;
import dev.ridgeline.backend.StepCheck;
import dev.ridgeline.backend.Weights;
import dev.ridgeline.backend.ZeroedMemory;
import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.cpu.vector.Rows;
import dev.ridgeline.graph.Graph;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A list of stages that the threads of a pool walk together, meeting after each. */
final class CpuExecutable implements Executable, WorkerPool.Job {
  private final Capacity capacity;
  private final int vocabularySize;
  private final StepCheck check;
  private final WorkerPool pool;
  private final Arena kvArena = Arena.ofShared();
  private final Arena activationArena = Arena.ofShared();
  private final Arena vectorArena = Arena.ofShared();
  private final Stage[] stages;
  private final Worker[] workers;
  private final long logits;
  private final MemorySegment input;
  private @Nullable Step step;
  private int outputs;
  private boolean closed;

  CpuExecutable(
      Graph graph,
      Weights weights,
      Capacity capacity,
      KernelTable kernels,
      WorkerPool pool,
      @Nullable InputListener listener) {
    this.capacity = capacity;
    this.pool = pool;
    vocabularySize = graph.logits().width();
    check = new StepCheck(graph, capacity);
    var plan = new Plan(graph, capacity, kernels, pool.threads());
    var memories =
        new Binder.Memories(
            ZeroedMemory.allocate(activationArena, plan.activationBytes()),
            ZeroedMemory.allocate(kvArena, plan.memory().kvBytes()),
            ZeroedMemory.allocate(vectorArena, plan.memory().repackedBytes()));
    var binder = new Binder(graph, weights, capacity, kernels, pool.threads(), plan, memories);
    stages = binder.bind(listener);
    logits = binder.address(graph.logits());
    input = memories.activations().asSlice(plan.inputAt(), plan.inputBytes());
    workers = new Worker[pool.threads()];
    for (int i = 0; i < workers.length; i++) {
      long scratch = memories.activations().address() + plan.scratchAt(i);
      workers[i] = new Worker(pool, i, kernels.rows(), scratch);
    }
  }

  @Override
  public Capacity capacity() {
    return capacity;
  }

  @Override
  public int vocabularySize() {
    return vocabularySize;
  }

  @Override
  public MemorySegment input() {
    return input;
  }

  @Override
  public void run(Step step) {
    requireOpen();
    check.check(step);
    outputs = 0;
    this.step = step;
    pool.run(this);
    outputs = step.outputCount();
  }

  @Override
  public void run(int index) {
    Step current = step;
    if (current == null) {
      throw new IllegalStateException("no step to run");
    }
    Worker worker = workers[index];
    for (Stage stage : stages) {
      if (!stage.idle(current)) {
        stage.run(worker, current);
        pool.barrier(index);
      }
    }
  }

  @Override
  public void logits(int output, float[] into) {
    MemorySegment.copy(
        Memory.ALL, java.lang.foreign.ValueLayout.JAVA_FLOAT, row(output), into, 0, vocabularySize);
  }

  @Override
  public int argmax(int output) {
    return Rows.argmax(row(output), vocabularySize);
  }

  private long row(int output) {
    requireOpen();
    if (output < 0 || output >= outputs) {
      throw new IllegalArgumentException(
          "output %d; the last step had %d".formatted(output, outputs));
    }
    return logits + 4L * output * vocabularySize;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("this executable is closed");
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      kvArena.close();
      activationArena.close();
      vectorArena.close();
    }
  }
}
