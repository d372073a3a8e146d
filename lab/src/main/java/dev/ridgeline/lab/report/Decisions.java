package dev.ridgeline.lab.report;

import dev.ridgeline.lab.stats.Estimate;
import dev.ridgeline.lab.study.LabRecord;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;

/** Which variant to use for what, from the figures alone. */
public final class Decisions {
  private final List<VariantFindings> all;
  private final boolean haveQuality;

  /** Decisions from {@code findings}. */
  public Decisions(Findings findings) {
    this.all = findings.comparable();
    this.haveQuality = all.stream().anyMatch(v -> v.quality() != null);
  }

  private static Estimate speed(VariantFindings v) {
    return Objects.requireNonNull(v.headline()).tokensPerSecond();
  }

  private static double median(VariantFindings v) {
    return speed(v).median();
  }

  private static double loss(VariantFindings v) {
    double loss = Findings.loss(v);
    return Double.isNaN(loss) ? Double.POSITIVE_INFINITY : loss;
  }

  /** Variants that no other beats in both speed and quality. */
  public List<VariantFindings> front() {
    return haveQuality ? Pareto.front(all, Decisions::median, Decisions::loss) : List.of();
  }

  /** Variants that no other beats in both speed and memory. */
  public List<VariantFindings> memoryFront() {
    return Pareto.front(all, Decisions::median, VariantFindings::gigabytes);
  }

  /**
   * Variants that no other beats in both tokens a second for each GB and quality, or memory where
   * quality was not measured.
   */
  public List<VariantFindings> efficiencyFront() {
    return Pareto.front(
        all,
        v -> median(v) / v.gigabytes(),
        haveQuality ? Decisions::loss : VariantFindings::gigabytes);
  }

  /** What {@code variant} is good for, in a few words. */
  public String use(VariantFindings variant) {
    List<String> uses = new ArrayList<>();
    if (!variant.isComparable()) {
      return "not measured";
    }
    if (fastest(all).contains(variant)) {
      uses.add(fastest(all).size() == 1 ? "fastest" : "among the fastest");
    }
    if (smallest(all) == variant) {
      uses.add("smallest");
    }
    if (Objects.requireNonNull(variant.headline()).isAboveLimit()) {
      uses.add(LengthFindings.ERROR + ": faster than the machine was measured to be");
    }
    if (haveQuality) {
      double loss = Findings.loss(variant);
      uses.add(
          loss <= Findings.NEAR_LOSSLESS
              ? "near lossless"
              : loss <= Findings.SMALL_LOSS
                  ? "small loss"
                  : Double.isNaN(loss) ? "quality unknown" : "visible loss");
      VariantFindings better = dominator(variant);
      if (better != null) {
        uses.add("no use: " + better.name() + " is faster, smaller and better");
      } else if (front().contains(variant)) {
        uses.add("on the front of speed and quality");
      } else if (all.stream().noneMatch(o -> beats(o, variant))) {
        uses.add("not told apart from the front of speed and quality");
      }
    }
    return String.join("; ", uses);
  }

  /** A variant that is faster beyond chance, not larger, and not worse. */
  private @org.jspecify.annotations.Nullable VariantFindings dominator(VariantFindings v) {
    return all.stream()
        .filter(o -> speed(o).isAbove(speed(v)))
        .filter(o -> o.gigabytes() <= v.gigabytes() && loss(o) <= loss(v))
        .max(Comparator.comparingDouble(Decisions::median))
        .orElse(null);
  }

  /** Whether {@code o} is no worse than {@code v} in both respects, and beyond chance in one. */
  private static boolean beats(VariantFindings o, VariantFindings v) {
    return median(o) >= median(v)
        && loss(o) <= loss(v)
        && (speed(o).isAbove(speed(v)) || loss(o) + error(o) < loss(v) - error(v));
  }

  /** Half the 95 % interval of the mean divergence: 1.96 standard errors. */
  private static double error(VariantFindings v) {
    LabRecord.Quality quality = v.quality();
    return quality == null ? 0 : 1.96 * quality.kldStandardError();
  }

  /** The fastest, and those whose intervals overlap with its. */
  private static List<VariantFindings> fastest(List<VariantFindings> of) {
    VariantFindings best = choice(of);
    return of.stream().filter(v -> v == best || speed(v).isLike(speed(best))).toList();
  }

  private static VariantFindings smallest(List<VariantFindings> of) {
    return of.stream().min(Comparator.comparingDouble(VariantFindings::gigabytes)).orElseThrow();
  }

  /** The decision tree: one question a line, from the strictest wish to none. */
  public List<String> tree() {
    if (all.isEmpty()) {
      return List.of("Nothing was measured, so nothing can be decided.");
    }
    List<String> lines = new ArrayList<>();
    VariantFindings smallest = smallest(all);
    lines.add(
        "Is there less memory than %s GB? Then none of these variants fits; %s is the smallest."
            .formatted(number(smallest.gigabytes()), smallest.name()));
    if (haveQuality) {
      lines.add(
          quality(
              "Must answers be as good as the source's (divergence of at most %s nats a token)?",
              Findings.NEAR_LOSSLESS));
      lines.add(
          quality(
              "May answers be a little worse (divergence of at most %s)?", Findings.SMALL_LOSS));
    }
    lines.add(branch("Does only speed count?", all));
    budgets().forEach(lines::add);
    return lines;
  }

  private List<VariantFindings> within(double loss) {
    return all.stream().filter(v -> loss(v) <= loss).toList();
  }

  private static VariantFindings choice(List<VariantFindings> candidates) {
    return candidates.stream().max(Comparator.comparingDouble(Decisions::median)).orElseThrow();
  }

  private String quality(String question, double bound) {
    List<VariantFindings> unclear =
        all.stream()
            .filter(v -> v.quality() != null && Math.abs(loss(v) - bound) <= error(v))
            .toList();
    String note =
        unclear.isEmpty()
            ? ""
            : " The interval of %s holds the bound itself: on which side it is, is undecided."
                .formatted(
                    unclear.stream()
                        .map(
                            v ->
                                String.format(
                                    Locale.ROOT, "%s (%.4f ± %.4f)", v.name(), loss(v), error(v)))
                        .collect(Collectors.joining(" and ")));
    return branch(question.formatted(bound), within(bound)) + note;
  }

  private static String branch(String question, List<VariantFindings> candidates) {
    if (candidates.isEmpty()) {
      return question + " No variant of this study is.";
    }
    List<VariantFindings> best = fastest(candidates);
    VariantFindings least = smallest(candidates);
    String answer;
    if (best.size() == 1) {
      answer = "Use " + described(best.getFirst());
    } else {
      answer =
          (best.stream().allMatch(Decisions::hasInterval)
                  ? "Speed does not decide: the intervals of %s overlap. The smallest of them is %s"
                  : "Speed does not decide: there are too few measured runs to tell %s apart. The smallest"
                      + " of them is %s")
              .formatted(
                  best.stream().map(Decisions::described).collect(Collectors.joining("; ")),
                  smallest(best).name());
    }
    String memory =
        best.contains(least) ? "" : " To save memory, at a lower speed: " + described(least) + ".";
    return question + " " + answer + "." + memory;
  }

  private static String described(VariantFindings v) {
    return "%s, %s, %s GB".formatted(v.name(), speedText(v), number(v.gigabytes()));
  }

  /** The best that fits, for each size at which the answer changes. */
  private List<String> budgets() {
    List<String> lines = new ArrayList<>();
    List<VariantFindings> bySize =
        all.stream().sorted(Comparator.comparingDouble(VariantFindings::gigabytes)).toList();
    String last = "";
    for (VariantFindings limit : bySize) {
      List<VariantFindings> fit =
          all.stream().filter(v -> v.gigabytes() <= limit.gigabytes()).toList();
      VariantFindings best =
          haveQuality
              ? fit.stream().min(Comparator.comparingDouble(Decisions::loss)).orElseThrow()
              : choice(fit);
      if (!best.name().equals(last)) {
        last = best.name();
        lines.add(
            "With %s GB of memory or more: %s gives the best answers that fit, at %s."
                .formatted(number(limit.gigabytes()), best.name(), speedText(best)));
      }
    }
    return haveQuality ? lines : List.of();
  }

  /** An estimate has runs that are all the same: that is no interval. */
  private static boolean hasInterval(VariantFindings v) {
    return speed(v).hasInterval() && !Objects.requireNonNull(v.headline()).estimated();
  }

  private static String speedText(VariantFindings v) {
    LengthFindings l = Objects.requireNonNull(v.headline());
    Estimate e = l.tokensPerSecond();
    String interval =
        l.estimated()
            ? ""
            : e.hasInterval()
                ? " [%s to %s]".formatted(number(e.low()), number(e.high()))
                : " (" + runs(e.runs()) + ": no interval)";
    return number(e.median()) + " tok/s" + interval + l.marked();
  }

  static String runs(int count) {
    return count == 1 ? "1 run" : count + " runs";
  }

  static String number(double value) {
    return String.format(Locale.ROOT, value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.3f", value);
  }
}
