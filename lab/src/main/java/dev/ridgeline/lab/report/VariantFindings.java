package dev.ridgeline.lab.report;

import dev.ridgeline.lab.study.LabRecord;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All that is known of a variant.
 *
 * @param facts its file and memory; null where it could not be made
 * @param lengths by generated tokens, the shortest first; without those that have no run
 * @param quality null where it was not measured
 * @param failures cells that have no result, each with its reason
 * @param notes what its runs were measured on instead, or how they were estimated
 */
public record VariantFindings(
    String name,
    LabRecord.@Nullable Variant facts,
    List<LengthFindings> lengths,
    LabRecord.@Nullable Quality quality,
    List<String> failures,
    List<String> notes) {
  /** Copies the lists. */
  public VariantFindings {
    lengths = List.copyOf(lengths);
    failures = List.copyOf(failures);
    notes = List.copyOf(notes);
  }

  /** The length with the most runs, on which variants are compared; null without any. */
  public @Nullable LengthFindings headline() {
    return lengths.stream()
        .max(
            Comparator.comparingInt((LengthFindings l) -> l.runs().size())
                .thenComparingInt(l -> -l.tokens()))
        .orElse(null);
  }

  /** GB held while it runs: weights, KV and activations; of a GPU's memory or the machine's. */
  public double gigabytes() {
    return facts == null ? Double.NaN : facts.heldBytes() / 1e9;
  }

  /** Whether it can be weighed against others: it has a speed and a size. */
  public boolean isComparable() {
    return facts != null && !lengths.isEmpty();
  }
}
