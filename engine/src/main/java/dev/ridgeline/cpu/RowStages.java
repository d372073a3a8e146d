package dev.ridgeline.cpu;

import dev.ridgeline.backend.Step;
import dev.ridgeline.cpu.kernel.GateKernel;
import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.cpu.kernel.RowDecoder;
import dev.ridgeline.cpu.vector.Rows;
import dev.ridgeline.graph.Activation;
import dev.ridgeline.graph.Value;

/** The ops that read and write whole rows or single elements. All addresses are of float32. */
final class RowStages {
  private RowStages() {}

  /** Copies the rows that were handed over. */
  record Receive(long from, int width, long out) implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      int first = worker.from(step.tokenCount(), 1);
      int count = worker.to(step.tokenCount(), 1) - first;
      long at = 4L * first * width;
      Memory.copy(from + at, out + at, 4L * count * width);
    }
  }

  /** {@code out[t] = table[token[t]] * scale}. */
  record Embed(long table, long rowBytes, RowDecoder decoder, float scale, int width, long out)
      implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      int end = worker.to(step.tokenCount(), 1);
      for (int t = worker.from(step.tokenCount(), 1); t < end; t++) {
        long to = out + 4L * t * width;
        decoder.decode(table + step.token(t) * rowBytes, to, width, worker.scratch);
        if (scale != 1) {
          worker.rows.scale(to, scale, to, width);
        }
      }
    }
  }

  /** {@link dev.ridgeline.graph.Op.RmsNorm} over groups of {@code group} elements. */
  record Norm(long x, int width, Value.Rows rows, long weight, int group, float eps, long out)
      implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      int groups = Stage.rows(rows, step) * (width / group);
      int end = worker.to(groups, 1);
      for (int g = worker.from(groups, 1); g < end; g++) {
        long at = 4L * g * group;
        worker.rows.rmsNorm(x + at, weight, eps, out + at, group);
      }
    }
  }

  /** {@link dev.ridgeline.graph.Op.AddRmsNorm}. */
  record AddNorm(
      long a,
      long b,
      float scale,
      int width,
      Value.Rows rows,
      long weight,
      float eps,
      long sum,
      long out)
      implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      int count = Stage.rows(rows, step);
      int end = worker.to(count, 1);
      for (int t = worker.from(count, 1); t < end; t++) {
        long at = 4L * t * width;
        worker.rows.add(a + at, b + at, scale, sum + at, width);
        worker.rows.rmsNorm(sum + at, weight, eps, out + at, width);
      }
    }
  }

  /** {@code out = a + b * scale}. */
  record Add(long a, long b, float scale, int width, Value.Rows rows, long out) implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      int elements = Stage.rows(rows, step) * width;
      int from = worker.from(elements, Rows.UNIT);
      long at = 4L * from;
      worker.rows.add(a + at, b + at, scale, out + at, worker.to(elements, Rows.UNIT) - from);
    }
  }

  /** {@code out = x * factor}. */
  record Scale(long x, float factor, int width, Value.Rows rows, long out) implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      int elements = Stage.rows(rows, step) * width;
      int from = worker.from(elements, Rows.UNIT);
      long at = 4L * from;
      worker.rows.scale(x + at, factor, out + at, worker.to(elements, Rows.UNIT) - from);
    }
  }

  /** {@code out = cap * tanh(x / cap)}. */
  record SoftCap(long x, float cap, int width, Value.Rows rows, long out) implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      int elements = Stage.rows(rows, step) * width;
      int from = worker.from(elements, Rows.UNIT);
      long at = 4L * from;
      Rows.softCap(x + at, cap, out + at, worker.to(elements, Rows.UNIT) - from);
    }
  }

  /** {@code out = act(gate) * up}. */
  record Gate(
      GateKernel kernel,
      long gate,
      long up,
      Activation activation,
      int width,
      Value.Rows rows,
      long out)
      implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      int elements = Stage.rows(rows, step) * width;
      int from = worker.from(elements, Rows.UNIT);
      long at = 4L * from;
      int count = worker.to(elements, Rows.UNIT) - from;
      kernel.gate(activation, gate + at, up + at, out + at, count);
    }
  }

  /** Copies the rows whose logits were asked for. */
  record Select(long x, int width, long out) implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      int end = worker.to(step.outputCount(), 1);
      for (int o = worker.from(step.outputCount(), 1); o < end; o++) {
        Memory.copy(x + 4L * step.outputRow(o) * width, out + 4L * o * width, 4L * width);
      }
    }
  }
}
