package dev.ridgeline.lab;

import dev.ridgeline.backend.StepProfile;
import dev.ridgeline.graph.Cost;
import dev.ridgeline.graph.Op;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What one kernel took of a step, with the least that its ops must move and compute. Of several
 * kernels for the same ops the slowest is taken to do their work, the others to prepare it.
 *
 * @param kernel name and variant
 * @param runs dispatches
 * @param nanos of all of them
 * @param bytes weights and KV of the ops
 * @param flops of the ops
 */
public record KernelTimes(String kernel, int runs, double nanos, long bytes, long flops) {
  /** The kernels of {@code profile}, the slowest first. */
  static List<KernelTimes> of(StepProfile profile, Cost.Workload step) {
    Map<String, KernelTimes> byKernel = new LinkedHashMap<>();
    List<StepProfile.Part> parts = profile.parts();
    for (int i = 0, end; i < parts.size(); i = end) {
      List<Op> ops = parts.get(i).ops();
      end = i + 1;
      while (end < parts.size() && parts.get(end).ops().equals(ops)) {
        end++;
      }
      List<StepProfile.Part> same = parts.subList(i, end);
      StepProfile.Part slowest =
          Collections.max(same, Comparator.comparingDouble(StepProfile.Part::nanos));
      Cost work = ops.stream().map(op -> Cost.of(op, step)).reduce(Cost.ZERO, Cost::plus);
      for (StepProfile.Part part : same) {
        Cost cost = part == slowest ? work : Cost.ZERO;
        byKernel.merge(
            part.kernel(),
            new KernelTimes(part.kernel(), 1, part.nanos(), cost.memoryBytes(), cost.flops()),
            KernelTimes::plus);
      }
    }
    var all = new ArrayList<>(byKernel.values());
    all.sort(Comparator.comparingDouble(KernelTimes::nanos).reversed());
    return all;
  }

  private KernelTimes plus(KernelTimes o) {
    return new KernelTimes(
        kernel, runs + o.runs, nanos + o.nanos, bytes + o.bytes, flops + o.flops);
  }
}
