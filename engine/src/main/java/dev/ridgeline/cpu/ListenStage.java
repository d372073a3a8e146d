package dev.ridgeline.cpu;

import dev.ridgeline.backend.InputListener;
import dev.ridgeline.backend.Step;
import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Value;

/** Shows a listener what goes into a product; the first worker does, the others wait. */
record ListenStage(
    InputListener listener, Op op, long x, int width, Value.Rows rows, long route, int routeWidth)
    implements Stage {
  @Override
  public void run(Worker worker, Step step) {
    if (worker.index == 0) {
      int n = Stage.rows(rows, step);
      listener.inputs(
          op,
          Memory.ALL.asSlice(x, 4L * n * width),
          Memory.ALL.asSlice(route, 4L * n * routeWidth),
          n);
    }
  }

  @Override
  public boolean idle(Step step) {
    return Stage.rows(rows, step) == 0;
  }
}
