package dev.ridgeline.cpu;

import dev.ridgeline.backend.Step;
import dev.ridgeline.cpu.vector.AttentionCall;
import dev.ridgeline.cpu.vector.AttentionKernel;
import dev.ridgeline.cpu.vector.DirectAttention;
import dev.ridgeline.cpu.vector.KvStore;
import dev.ridgeline.graph.KvLayer;
import org.jspecify.annotations.Nullable;

/** Writing K and V, and attending to them. */
final class AttentionStages {
  private AttentionStages() {}

  /** {@link dev.ridgeline.graph.Op.StoreKv}. */
  record Store(KvStore store, KvLayer layer, int group, int blockTokens, long k, long v)
      implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      int heads = layer.headCountKv();
      int end = worker.to(step.tokenCount() * heads, 1);
      for (int i = worker.from(step.tokenCount() * heads, 1); i < end; i++) {
        int t = i / heads;
        int position = step.position(t);
        store.write(
            step.blockTable(step.sequence(t), group)[position / blockTokens],
            position % blockTokens,
            i % heads,
            k + 4L * i * layer.keyDim(),
            v + 4L * i * layer.valueDim());
      }
    }
  }

  /**
   * How a step's attention is cut into pieces: each sequence's rows in runs of {@code
   * tokensPerCall}, each run for each KV head, and, where that is too little for the threads (one
   * token at a time), the stored tokens of each in {@code splits} parts.
   */
  record Cut(
      AttentionKernel kernel,
      @Nullable DirectAttention direct,
      int headsKv,
      int kvGroup,
      int threads,
      long q,
      long out,
      long partials,
      long partialBytes) {
    /** Partial results that one layer may leave; fixes the size of their memory. */
    static int maxPartials(int threads) {
      return 4 * threads;
    }

    private int runs(Step step) {
      int runs = 0;
      for (int s = 0; s < step.sequenceCount(); s++) {
        runs += runs(step, s);
      }
      return runs;
    }

    private int runs(Step step, int sequence) {
      int rows = step.endRow(sequence) - step.firstRow(sequence);
      return (rows + tokensPerCall() - 1) / tokensPerCall();
    }

    private int tokensPerCall() {
      return direct == null ? kernel.tokensPerCall() : direct.tokensPerCall();
    }

    /** Pieces without splitting. */
    int items(Step step) {
      return runs(step) * headsKv;
    }

    /** Parts into which each item's stored tokens are cut. */
    int splits(Step step) {
      int items = items(step);
      if (direct != null || items == 0 || items > 2 * threads || threads == 1) {
        return 1;
      }
      int longest = 1;
      for (int s = 0; s < step.sequenceCount(); s++) {
        if (runs(step, s) > 0) {
          int row = step.endRow(s) - 1;
          longest =
              Math.max(
                  longest, AttentionKernel.toPosition(step, row) - kernel.fromPosition(step, row));
        }
      }
      return Math.clamp(longest / AttentionKernel.tileTokens(), 1, maxPartials(threads) / items);
    }

    /** Parts into which each item's rows are cut where they are computed by themselves. */
    int parts(Step step) {
      int items = items(step);
      return items == 0 || items > 2 * threads ? 1 : (2 * threads + items - 1) / items;
    }

    /** Fills {@code call} for item {@code item}, with all of its stored tokens. */
    void fill(AttentionCall call, Step step, int item) {
      int run = item / headsKv;
      int s = 0;
      while (run >= runs(step, s)) {
        run -= runs(step, s);
        s++;
      }
      call.step = step;
      call.blocks = step.blockTable(s, kvGroup);
      call.row = step.firstRow(s) + run * tokensPerCall();
      call.rows = Math.min(tokensPerCall(), step.endRow(s) - call.row);
      call.head = item % headsKv;
      call.from = kernel.fromPosition(step, call.row);
      call.to = AttentionKernel.toPosition(step, call.row + call.rows - 1);
      call.q = q;
      call.out = out;
      call.partial = 0;
    }
  }

  /** Attends; leaves partial results where the cut has splits. */
  record Attend(Cut cut) implements Stage {
    @Override
    public void run(Worker worker, Step step) {
      AttentionCall call = worker.attention;
      call.scratch = worker.scratch;
      DirectAttention direct = cut.direct;
      if (direct != null) {
        int parts = cut.parts(step);
        int pieces = cut.items(step) * parts;
        for (int piece = worker.claim(); piece < pieces; piece = worker.claim()) {
          cut.fill(call, step, piece / parts);
          direct.attend(call, piece % parts, parts);
        }
      } else {
        attendInSplits(worker, step);
      }
    }

    private void attendInSplits(Worker worker, Step step) {
      AttentionCall call = worker.attention;
      int splits = cut.splits(step);
      int pieces = cut.items(step) * splits;
      for (int piece = worker.claim(); piece < pieces; piece = worker.claim()) {
        cut.fill(call, step, piece / splits);
        if (splits > 1) {
          narrow(call, piece % splits, splits);
          call.partial = cut.partials + (long) piece * cut.partialBytes;
        }
        cut.kernel.attend(call);
      }
    }

    /** Keeps part {@code split} of the call's stored tokens, in whole groups. */
    private static void narrow(AttentionCall call, int split, int splits) {
      int unit = AttentionKernel.splitUnit();
      int units = (call.to - call.from) / unit;
      int from = call.from;
      call.from = from + (int) ((long) units * split / splits) * unit;
      call.to = from + (int) ((long) units * (split + 1) / splits) * unit;
    }
  }

  /** Merges the partial results. */
  record Merge(Cut cut) implements Stage {
    @Override
    public boolean idle(Step step) {
      return cut.splits(step) == 1;
    }

    @Override
    public void run(Worker worker, Step step) {
      int splits = cut.splits(step);
      int end = worker.to(cut.items(step), 1);
      for (int item = worker.from(cut.items(step), 1); item < end; item++) {
        cut.fill(worker.attention, step, item);
        cut.kernel.merge(
            worker.attention, cut.partials + (long) item * splits * cut.partialBytes, splits);
      }
    }
  }
}
