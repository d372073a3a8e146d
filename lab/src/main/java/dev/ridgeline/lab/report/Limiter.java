package dev.ridgeline.lab.report;

import dev.ridgeline.lab.study.LabRecord;
import java.util.Locale;

/**
 * What holds a variant's generation back.
 *
 * @param name {@code memory bandwidth}, {@code arithmetic} or {@code launch overhead}; {@code error
 *     of measurement} for a figure that the machine cannot reach
 * @param evidence the figures that say so
 */
public record Limiter(String name, String evidence) {
  /**
   * The limiter of a length: what takes the largest part of a token's time. Moving the bytes at
   * full bandwidth takes one part. Launching the graph's ops takes no more than their number times
   * what was measured of an op that does next to nothing. What remains is the work of the kernels:
   * the arithmetic that is counted, and unpacking, which is not.
   */
  public static Limiter of(LengthFindings length, LabRecord.Session session) {
    LabRecord.Run run = length.runs().getFirst();
    double millis = 1e3 / length.tokensPerSecond().median();
    double bytes = run.bytesPerToken() / (run.readGigabytesPerSecond() * 1e6);
    double flops = run.flopsPerToken() / (run.gigaflopsPerSecond() * 1e6);
    double launches = session.launchMillis();
    // A bound above the token's whole time is an error of measurement.
    boolean launchesKnown = launches <= millis;
    double beside = Math.max(0, millis - bytes);
    // An upper bound, which the bytes, a lower one, may lower further.
    double launching = launchesKnown ? Math.min(launches, beside) : 0;
    double rest = beside - launching;
    double kernels = Math.max(rest, flops);
    String evidence =
        String.format(
            Locale.ROOT,
            "a token takes %.3f ms; its %.1f MB at %.1f GB/s take %.3f ms (%.0f %%), its %.3f GFLOP at"
                + " %.0f GFLOP/s %.3f ms (%.0f %%), %s",
            millis,
            run.bytesPerToken() / 1e6,
            run.readGigabytesPerSecond(),
            bytes,
            100 * bytes / millis,
            run.flopsPerToken() / 1e9,
            run.gigaflopsPerSecond(),
            flops,
            100 * flops / millis,
            launchesKnown
                ? String.format(
                    Locale.ROOT,
                    "launching %d ops at most %.3f ms (%.0f %%)",
                    session.ops(),
                    launches,
                    100 * launches / millis)
                : "how long launching its %d ops takes is not known: the probe was disturbed"
                    .formatted(session.ops()));
    if (length.isAboveLimit()) {
      return new Limiter(
          LengthFindings.ERROR,
          evidence + ": more than the machine was measured to do, so one of the two is wrong");
    }
    if (bytes >= kernels && bytes >= launching) {
      return new Limiter("memory bandwidth", evidence);
    }
    if (launching >= kernels) {
      return new Limiter("launch overhead", evidence);
    }
    return new Limiter(
        "arithmetic",
        evidence
            + String.format(
                Locale.ROOT,
                "; the other %.3f ms (%.0f %%) are the kernels' own work, unpacking included",
                rest,
                100 * rest / millis));
  }
}
