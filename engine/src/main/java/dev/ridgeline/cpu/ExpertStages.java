package dev.ridgeline.cpu;

import dev.ridgeline.backend.Step;
import dev.ridgeline.cpu.kernel.Memory;
import dev.ridgeline.cpu.kernel.PackCall;
import dev.ridgeline.cpu.kernel.Packing;
import dev.ridgeline.cpu.kernel.ProductCall;
import dev.ridgeline.cpu.kernel.ProductKernel;
import dev.ridgeline.graph.Value;

/**
 * Mixture of experts. A slot is one of a token's k choices, number {@code t * k + j}; slots are
 * sorted by expert, so that each expert's matrix meets all of its tokens in one product.
 */
final class ExpertStages {
  private ExpertStages() {}

  /** {@link dev.ridgeline.graph.Op.Route}; both routings are the softmax over the k largest. */
  record Choose(long logits, int experts, int k, Value.Rows rows, long out) implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      int n = Stage.rows(rows, step);
      int end = worker.to(n, 1);
      for (int t = worker.from(n, 1); t < end; t++) {
        choose(worker, logits + 4L * t * experts, out + 8L * t * k);
      }
    }

    private void choose(Worker worker, long row, long to) {
      for (int j = 0; j < k; j++) {
        Memory.f32(to + 4L * j, largestBelow(row, to, j));
      }
      float max = Memory.f32(row + 4L * (int) Memory.f32(to));
      double sum = 0;
      for (int j = 0; j < k; j++) {
        double e = Math.exp(Memory.f32(row + 4L * (int) Memory.f32(to + 4L * j)) - max);
        Memory.f32(to + 4L * (k + j), (float) e);
        sum += e;
      }
      worker.rows.scale(to + 4L * k, (float) (1 / sum), to + 4L * k, k);
    }

    /** The expert with the largest logit that is not among the {@code taken} chosen ones. */
    private int largestBelow(long row, long chosen, int taken) {
      int best = -1;
      for (int e = 0; e < experts; e++) {
        boolean larger = best < 0 || Memory.f32(row + 4L * e) > Memory.f32(row + 4L * best);
        if (larger && !contains(chosen, taken, e)) {
          best = e;
        }
      }
      return best;
    }

    private static boolean contains(long chosen, int taken, int expert) {
      for (int j = 0; j < taken; j++) {
        if ((int) Memory.f32(chosen + 4L * j) == expert) {
          return true;
        }
      }
      return false;
    }
  }

  /** {@link dev.ridgeline.graph.Op.ExpertSum}. */
  record Sum(long x, long route, int k, int width, Value.Rows rows, long out) implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      int n = Stage.rows(rows, step);
      int end = worker.to(n, 1);
      for (int t = worker.from(n, 1); t < end; t++) {
        long to = out + 4L * t * width;
        long weights = route + 4L * (2L * t * k + k);
        long from = x + 4L * t * k * width;
        worker.rows.scale(from, Memory.f32(weights), to, width);
        for (int j = 1; j < k; j++) {
          worker.rows.add(to, from + 4L * j * width, Memory.f32(weights + 4L * j), to, width);
        }
      }
    }
  }

  /**
   * What the stages of one expert product share.
   *
   * @param x float32 {@code [n, cols]} or, {@code perSlot}, {@code [n * k, cols]}
   * @param weights address of the first expert's first row
   * @param rowsOut rows of one expert's matrix
   * @param bias float32 {@code [experts, rowsOut]}, or 0
   * @param out float32 {@code [n * k, rowsOut]}
   * @param room where sorted slots, inputs, packed inputs and outputs go
   */
  record Product(
      long x,
      boolean perSlot,
      long route,
      int k,
      Value.Rows rows,
      long weights,
      long rowBytes,
      int experts,
      int cols,
      int rowsOut,
      long bias,
      long out,
      ProductKernel[] kernels,
      Room room) {
    int slots(Step step) {
      return Stage.rows(rows, step) * k;
    }

    int tokens(int expert) {
      return room.first(expert + 1) - room.first(expert);
    }
  }

  /**
   * Addresses within the shared scratch: int32 {@code first[experts + 1]}, int32 {@code
   * slot[slots]}, int64 {@code packedAt[experts]}, and float32 rows.
   */
  record Room(long firsts, long slots, long packedAt, long inputs, long outputs, long packed) {
    static Room at(long address, int slots, int experts, int cols, int rowsOut) {
      long slotsAt = address + Products.aligned(4L * (experts + 1));
      long packedAt = slotsAt + Products.aligned(4L * slots);
      long inputs = packedAt + Products.aligned(8L * experts);
      long outputs = inputs + Products.aligned(4L * slots * cols);
      long packed = outputs + Products.aligned(4L * slots * rowsOut);
      return new Room(address, slotsAt, packedAt, inputs, outputs, packed);
    }

    /** Bytes of all of it; every expert in use may round its packed tokens up once. */
    static long bytes(int slots, int experts, int cols, int rowsOut, ProductKernel[] kernels) {
      long rounding = 0;
      for (ProductKernel kernel : kernels) {
        long one = Products.aligned(kernel.packing().bytes(kernel.minTokens(), cols));
        rounding = Math.max(rounding, one);
      }
      return at(0, slots, experts, cols, rowsOut).packed
          + Products.packedBytes(slots, cols, kernels)
          + Math.min(slots, experts) * rounding;
    }

    /** Index of the first sorted slot of {@code expert}. */
    int first(int expert) {
      return Memory.i32(firsts + 4L * expert);
    }

    int slot(int i) {
      return Memory.i32(slots + 4L * i);
    }
  }

  /** Sorts the slots by expert (worker 0: a few integers a token). */
  record Sort(Product p) implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      if (worker.index != 0) {
        return;
      }
      Room room = p.room;
      Memory.zero(room.firsts, 4L * (p.experts + 1));
      int slots = p.slots(step);
      for (int slot = 0; slot < slots; slot++) {
        long count = room.firsts + 4L * (expert(slot) + 1);
        Memory.i32(count, Memory.i32(count) + 1);
      }
      for (int e = 0; e < p.experts; e++) {
        Memory.i32(room.firsts + 4L * (e + 1), room.first(e) + room.first(e + 1));
      }
      // Places every slot and moves each first index to its expert's end, then back.
      for (int slot = 0; slot < slots; slot++) {
        int expert = expert(slot);
        Memory.i32(room.slots + 4L * room.first(expert), slot);
        Memory.i32(room.firsts + 4L * expert, room.first(expert) + 1);
      }
      for (int e = p.experts; e > 0; e--) {
        Memory.i32(room.firsts + 4L * e, room.first(e - 1));
      }
      Memory.i32(room.firsts, 0);
      placePacked();
    }

    private int expert(int slot) {
      return (int) Memory.f32(p.route + 4L * (slot / p.k * 2 * p.k + slot % p.k));
    }

    private void placePacked() {
      long at = p.room.packed;
      for (int e = 0; e < p.experts; e++) {
        Memory.i64(p.room.packedAt + 8L * e, at);
        int tokens = p.tokens(e);
        if (tokens > 0) {
          Packing packing = KernelTable.pick(p.kernels, tokens).packing();
          at += Products.aligned(packing.bytes(tokens, p.cols));
        }
      }
    }
  }

  /** Gathers each expert's inputs side by side and packs them. */
  record Gather(Product p) implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      for (int e = worker.claim(); e < p.experts; e = worker.claim()) {
        int tokens = p.tokens(e);
        if (tokens > 0) {
          gather(worker.pack, e, tokens);
        }
      }
    }

    private void gather(PackCall call, int expert, int tokens) {
      long rowBytes = 4L * p.cols;
      int first = p.room.first(expert);
      long to = p.room.inputs + first * rowBytes;
      for (int i = 0; i < tokens; i++) {
        int slot = p.room.slot(first + i);
        int row = p.perSlot ? slot : slot / p.k;
        Memory.copy(p.x + row * rowBytes, to + i * rowBytes, rowBytes);
      }
      Packing packing = KernelTable.pick(p.kernels, tokens).packing();
      if (!packing.equals(Packing.NONE)) {
        call.x = to;
        call.tokens = tokens;
        call.cols = p.cols;
        call.fromCol = 0;
        call.toCol = p.cols;
        call.packed = Memory.i64(p.room.packedAt + 8L * expert);
        packing.pack(call);
      }
    }
  }

  /** Multiplies the worker's band of rows of every expert and puts the results at their slots. */
  record Multiply(Product p) implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      for (int e = 0; e < p.experts; e++) {
        int tokens = p.tokens(e);
        if (tokens > 0) {
          ProductKernel kernel = KernelTable.pick(p.kernels, tokens);
          int from = worker.from(p.rowsOut, kernel.rowUnit());
          int to = worker.to(p.rowsOut, kernel.rowUnit());
          if (from < to) {
            multiply(worker, kernel, e, from, to);
            scatter(worker, e, from, to);
          }
        }
      }
    }

    private void multiply(Worker worker, ProductKernel kernel, int expert, int from, int to) {
      ProductCall call = worker.product;
      int first = p.room.first(expert);
      boolean asIs = kernel.packing().equals(Packing.NONE);
      call.weights = p.weights + ((long) expert * p.rowsOut + from) * p.rowBytes;
      call.rowBytes = p.rowBytes;
      call.rows = to - from;
      call.cols = p.cols;
      call.packed =
          asIs ? p.room.inputs + 4L * first * p.cols : Memory.i64(p.room.packedAt + 8L * expert);
      call.tokens = p.tokens(expert);
      call.out = p.room.outputs + 4L * ((long) first * p.rowsOut + from);
      call.outStride = 4L * p.rowsOut;
      call.scratch = worker.scratch;
      kernel.multiply(call);
    }

    private void scatter(Worker worker, int expert, int from, int to) {
      int end = p.room.first(expert + 1);
      for (int i = p.room.first(expert); i < end; i++) {
        long source = p.room.outputs + 4L * ((long) i * p.rowsOut + from);
        long target = p.out + 4L * ((long) p.room.slot(i) * p.rowsOut + from);
        if (p.bias == 0) {
          Memory.copy(source, target, 4L * (to - from));
        } else {
          long bias = p.bias + 4L * ((long) expert * p.rowsOut + from);
          worker.rows.add(source, bias, 1, target, to - from);
        }
      }
    }
  }
}
