package dev.ridgeline.lab.report;

import dev.ridgeline.lab.study.LabRecord;
import dev.ridgeline.lab.study.RecordFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a study found.
 *
 * @param session the last call of the study
 * @param sessionId its record
 * @param variants in the plan's order
 * @param damages lines of the records that were skipped
 */
public record Findings(
    LabRecord.Session session,
    String sessionId,
    List<VariantFindings> variants,
    List<RecordFile.Damage> damages) {
  /** A divergence in nats a token up to this counts as no loss that a reader would notice. */
  static final double NEAR_LOSSLESS = 0.01;

  /** A divergence in nats a token up to this counts as a small loss. */
  static final double SMALL_LOSS = 0.05;

  /**
   * Reads them off {@code contents}.
   *
   * @throws IllegalArgumentException if there is no session in it
   */
  public static Findings of(RecordFile.Contents contents) {
    List<LabRecord> sessions = contents.usable("session");
    if (sessions.isEmpty()) {
      throw new IllegalArgumentException("the records have no session: no study was begun here");
    }
    LabRecord last = sessions.getLast();
    LabRecord.Session session = Objects.requireNonNull(last.session());
    List<VariantFindings> variants =
        session.variants().stream().map(v -> variant(v, session, contents.records())).toList();
    return new Findings(session, last.id(), variants, contents.damages());
  }

  private static VariantFindings variant(
      String name, LabRecord.Session session, Map<String, LabRecord> records) {
    List<String> failures = new ArrayList<>();
    List<String> notes = new ArrayList<>();
    LabRecord facts = usable(records, "variant/" + name, failures);
    List<LengthFindings> lengths = new ArrayList<>();
    session
        .runs()
        .forEach(
            (tokens, count) -> {
              List<LabRecord> runs = new ArrayList<>();
              for (int run = 1; run <= count; run++) {
                LabRecord r =
                    usable(records, "run/%s/%d/%d".formatted(name, tokens, run), failures);
                if (r != null) {
                  runs.add(r);
                }
              }
              if (!runs.isEmpty()) {
                lengths.add(length(tokens, runs));
                runs.stream().map(LabRecord::note).filter(Objects::nonNull).forEach(notes::add);
              }
            });
    LabRecord quality =
        session.qualityTokens() == 0 ? null : usable(records, "quality/" + name, failures);
    return new VariantFindings(
        name,
        facts == null ? null : facts.variant(),
        lengths,
        quality == null ? null : quality.quality(),
        failures,
        notes.stream().distinct().toList());
  }

  private static LengthFindings length(int tokens, List<LabRecord> runs) {
    return new LengthFindings(
        tokens,
        runs.stream().map(r -> Objects.requireNonNull(r.run())).toList(),
        runs.stream().map(LabRecord::id).toList(),
        runs.stream().anyMatch(r -> r.status().equals(LabRecord.ESTIMATED))
            ? LengthFindings.ESTIMATED
            : runs.stream().anyMatch(r -> r.note() != null) ? LengthFindings.FALLBACK : "");
  }

  private static @Nullable LabRecord usable(
      Map<String, LabRecord> records, String id, List<String> failures) {
    LabRecord record = records.get(id);
    if (record != null && record.isUsable()) {
      return record;
    }
    failures.add(id + ": " + (record == null ? "not measured" : record.note()));
    return null;
  }

  /** That cells of the plan have no result, in one sentence; null where the study is whole. */
  public @Nullable String notWhole() {
    long cells = variants.stream().mapToLong(v -> v.failures().size()).sum();
    return cells == 0
        ? null
        : "Not whole: %d %s no result, see What is missing."
            .formatted(cells, cells == 1 ? "cell has" : "cells have");
  }

  /**
   * What the report lacks or has from elsewhere, a sentence each; a record's begins with its id.
   */
  List<String> missing() {
    List<String> all = new ArrayList<>();
    if (!session.leftOut().isEmpty()) {
      all.add(
          "Lengths of %s tokens are left out: they are past the model's context of %d."
              .formatted(session.leftOut(), session.contextLength()));
    }
    for (VariantFindings v : variants) {
      all.addAll(v.failures());
      v.notes().forEach(n -> all.add(v.name() + ": " + n));
    }
    for (RecordFile.Damage d : damages) {
      all.add("Line %d of records.jsonl was skipped: %s.".formatted(d.line(), d.reason()));
    }
    return all;
  }

  /** The variants that have a speed and a size. */
  public List<VariantFindings> comparable() {
    return variants.stream().filter(VariantFindings::isComparable).toList();
  }

  /**
   * What {@code variant} loses: the mean divergence of its distribution from the source's, in nats
   * a token. On text that the source itself writes, the variant's perplexity is expected to be
   * {@code exp} of it times the source's; unlike a difference of perplexities over some text, it is
   * never better than the source by luck. Not a number where it was not measured.
   */
  public static double loss(VariantFindings variant) {
    LabRecord.Quality quality = variant.quality();
    return quality == null ? Double.NaN : quality.kldMean();
  }
}
