package dev.ridgeline.lab;

import dev.ridgeline.backend.StepProfile;
import dev.ridgeline.graph.Cost;
import dev.ridgeline.graph.Op;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What one kernel took of a step, with the least that its ops must move and compute.
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
    for (StepProfile.Part part : profile.parts()) {
      Cost cost = Cost.ZERO;
      for (Op op : part.ops()) {
        cost = cost.plus(Cost.of(op, step));
      }
      byKernel.merge(
          part.kernel(),
          new KernelTimes(part.kernel(), 1, part.nanos(), cost.memoryBytes(), cost.flops()),
          KernelTimes::plus);
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
