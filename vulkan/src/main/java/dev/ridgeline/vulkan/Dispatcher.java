package dev.ridgeline.vulkan;

import dev.ridgeline.graph.Op;
import dev.ridgeline.vulkan.device.GpuPipeline;
import dev.ridgeline.vulkan.device.Recording;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Records dispatches with barriers only where one reads or overwrites what an earlier one since the
 * last barrier touched. Resources are numbers: the caller's names for pieces of memory.
 */
final class Dispatcher {
  /** Invocations of a workgroup where a kernel does not ask for another number. */
  static final int GROUP = 256;

  /** What every device allows in the first dimension of a grid. */
  private static final int MAX_GROUPS = 65_535;

  private final Recording recording;
  private final boolean timed;
  private final @Nullable Chain chain;
  private final List<Timed> timedParts = new ArrayList<>();
  private List<Op> ops = List.of();

  /** Touched since the last barrier. */
  private final Touched sinceBarrier = new Touched();

  /** Touched by the dispatches that run side by side with the next one. */
  private final Touched beside = new Touched();

  /** How the push constants of the next dispatch end. */
  private enum Ending {
    PLAIN,
    LINK,
    NO_LINK
  }

  private Ending ending = Ending.PLAIN;

  /** A dispatch with the ops it is for, which the dispatches beside it may be for too. */
  record Timed(String kernel, List<Op> ops) {}

  /** What dispatches read and write, by the caller's numbers. */
  private static final class Touched {
    private final Set<Integer> read = new HashSet<>();
    private final Set<Integer> written = new HashSet<>();

    boolean conflicts(Set<Integer> reads, Set<Integer> writes) {
      return reads.stream().anyMatch(written::contains)
          || writes.stream().anyMatch(r -> written.contains(r) || read.contains(r));
    }

    void add(Set<Integer> reads, Set<Integer> writes) {
      read.addAll(reads);
      written.addAll(writes);
    }

    void clear() {
      read.clear();
      written.clear();
    }
  }

  /** With {@code timed}, notes the time after each dispatch. */
  Dispatcher(Recording recording, @Nullable Chain chain, boolean timed) {
    this.recording = recording;
    this.chain = chain;
    this.timed = timed;
    if (timed) {
      recording.timestamp();
    }
  }

  /** The dispatches that follow compute {@code next}. */
  void begin(List<Op> next) {
    ops = next;
  }

  /** What was dispatched, in order, between one timestamp and the next. */
  List<Timed> timedParts() {
    return timedParts;
  }

  /** Workgroups of {@link #GROUP} for {@code invocations} invocations. */
  static long groups(long invocations) {
    return (invocations + GROUP - 1) / GROUP;
  }

  /**
   * Runs at least {@code groups * y} workgroups: x * z of them at each y, as {@code types.glsl}
   * numbers them.
   */
  static void dispatch(Recording recording, GpuPipeline pipeline, Push push, long groups, int y) {
    if (groups > 0 && y > 0) {
      recording.dispatch(pipeline, push.done(), x(groups), y, z(groups));
    }
  }

  private static int z(long groups) {
    return Math.toIntExact((groups + MAX_GROUPS - 1) / MAX_GROUPS);
  }

  private static int x(long groups) {
    return Math.toIntExact(Math.ceilDiv(groups, (long) z(groups)));
  }

  /** Declares what the next dispatch reads and writes; waits if it must. */
  void uses(Set<Integer> reads, Set<Integer> writes) {
    if (sinceBarrier.conflicts(reads, writes)) {
      barrier();
    }
    if (chain != null) {
      chain.mix();
    }
    add(reads, writes);
  }

  /**
   * The same for a kernel that can wait inside ({@code include/chain.glsl}), whose push constants
   * end with a link: in a chain it does so instead of a barrier.
   */
  void links(Set<Integer> reads, Set<Integer> writes) {
    if (beside.conflicts(reads, writes)) {
      if (chain != null && chain.goOn()) {
        beside.clear();
      } else {
        barrier();
      }
    }
    add(reads, writes);
    ending = chain == null ? Ending.NO_LINK : Ending.LINK;
  }

  /** {@link #uses} for a kernel whose push constants end with a link that it must not use. */
  void usesUnlinked(Set<Integer> reads, Set<Integer> writes) {
    uses(reads, writes);
    ending = Ending.NO_LINK;
  }

  private void add(Set<Integer> reads, Set<Integer> writes) {
    sinceBarrier.add(reads, writes);
    beside.add(reads, writes);
    ending = Ending.PLAIN;
  }

  private void barrier() {
    recording.barrier();
    sinceBarrier.clear();
    beside.clear();
    if (chain != null) {
      chain.end();
    }
  }

  /** Runs workgroups after {@link #uses}. */
  void run(GpuPipeline pipeline, Push push, long groups, int y) {
    if (groups > 0 && y > 0) {
      run(pipeline, push, x(groups), y, z(groups));
    }
  }

  /** Exactly {@code x * y * z} workgroups after {@link #uses} or {@link #links}. */
  void run(GpuPipeline pipeline, Push push, int x, int y, int z) {
    if (ending == Ending.LINK && chain != null) {
      chain.link(push, Math.multiplyExact(x, Math.multiplyExact(y, z)));
    } else if (ending != Ending.PLAIN) {
      Chain.noLink(push);
    }
    recording.dispatch(pipeline, push.done(), x, y, z);
    note(pipeline);
  }

  private void note(GpuPipeline pipeline) {
    if (timed) {
      recording.timestamp();
      timedParts.add(new Timed(pipeline.toString(), ops));
    }
  }
}
