package dev.ridgeline.lab.study;

import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.graph.Cost;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.lab.stats.Estimate;
import dev.ridgeline.model.Model;
import java.util.Collection;
import java.util.List;
import java.util.Objects;

/** What a variant that cannot be run here would do, from what it must move and compute. */
final class StudyEstimate {
  private StudyEstimate() {}

  /** The median share of the limit that measured runs reached; 1 if there are none. */
  static double medianShare(Collection<LabRecord> records) {
    List<Double> shares = shares(records);
    return shares.isEmpty() ? 1 : Estimate.of(shares).median();
  }

  static boolean isMeasured(Collection<LabRecord> records) {
    return !shares(records).isEmpty();
  }

  private static List<Double> shares(Collection<LabRecord> records) {
    return records.stream()
        .filter(r -> r.run() != null && r.status().equals(LabRecord.OK) && r.note() == null)
        .map(r -> Objects.requireNonNull(r.run()).utilization().shareOfLimit())
        .toList();
  }

  /** A run at {@code share} of the limit of the session's machine. */
  static LabRecord.Run of(
      StudyVariant variant,
      int tokens,
      int number,
      KvType kv,
      LabRecord.Session session,
      double share) {
    try (GgufFile file = GgufFile.open(variant.path())) {
      Graph graph = Fusion.fuse(Model.read(file.metadata(), file.tensors()).graph());
      Cost generate = Cost.ZERO;
      for (int i = 0; i < tokens; i++) {
        generate = generate.plus(Cost.of(graph, Cost.Workload.of(1, i, kv.type())));
      }
      Cost prompt = Cost.of(graph, Cost.Workload.of(session.promptTokens(), 0, kv.type()));
      MachineLimits limits = session.limits().limits();
      return new LabRecord.Run(
          variant.name(),
          tokens,
          number,
          session.limits().backend(),
          session.limits().threads(),
          session.promptTokens(),
          seconds(prompt, limits) / share,
          seconds(generate, limits) / share,
          (double) generate.memoryBytes() / tokens,
          (double) generate.flops() / tokens,
          (double) prompt.memoryBytes(),
          (double) prompt.flops(),
          session.limits().readGigabytesPerSecond(),
          limits.mixedAs(generate).flopsPerSecond() / 1e9,
          null,
          new long[0]);
    }
  }

  private static double seconds(Cost cost, MachineLimits limits) {
    return limits.mixedAs(cost).floorSeconds((double) cost.memoryBytes(), (double) cost.flops());
  }
}
