package dev.ridgeline.vulkan;

import dev.ridgeline.graph.Op;
import dev.ridgeline.vulkan.device.GpuPipeline;
import dev.ridgeline.vulkan.device.Recording;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

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
  private final List<Timed> timedParts = new ArrayList<>();
  private List<Op> ops = List.of();
  private final Set<Integer> read = new HashSet<>();
  private final Set<Integer> written = new HashSet<>();

  /** A dispatch with the ops it is for, which the dispatches beside it may be for too. */
  record Timed(String kernel, List<Op> ops) {}

  /** With {@code timed}, notes the time after each dispatch. */
  Dispatcher(Recording recording, boolean timed) {
    this.recording = recording;
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
    if (groups == 0 || y == 0) {
      return;
    }
    long z = (groups + MAX_GROUPS - 1) / MAX_GROUPS;
    long x = (groups + z - 1) / z;
    recording.dispatch(pipeline, push.done(), Math.toIntExact(x), y, Math.toIntExact(z));
  }

  /** Declares what the next dispatch reads and writes; waits if it must. */
  void uses(Set<Integer> reads, Set<Integer> writes) {
    boolean conflict =
        reads.stream().anyMatch(written::contains)
            || writes.stream().anyMatch(r -> written.contains(r) || read.contains(r));
    if (conflict) {
      recording.barrier();
      read.clear();
      written.clear();
    }
    read.addAll(reads);
    written.addAll(writes);
  }

  /** Runs workgroups after {@link #uses}. */
  void run(GpuPipeline pipeline, Push push, long groups, int y) {
    if (groups > 0 && y > 0) {
      dispatch(recording, pipeline, push, groups, y);
      note(pipeline);
    }
  }

  /** Exactly {@code x * y * z} workgroups after {@link #uses}. */
  void run(GpuPipeline pipeline, Push push, int x, int y, int z) {
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
