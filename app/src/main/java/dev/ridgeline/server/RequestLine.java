package dev.ridgeline.server;

import dev.ridgeline.scheduler.RequestStats;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** What goes to the log about a request when it is over: how long it took, and why. */
final class RequestLine {
  private static final List<GarbageCollectorMXBean> COLLECTORS =
      ManagementFactory.getGarbageCollectorMXBeans();

  private final String id;
  private final long startNanos = System.nanoTime();
  private final long gcMillis = gcMillis();
  private final List<RequestStats> stats = new CopyOnWriteArrayList<>();

  RequestLine(String id) {
    this.id = id;
  }

  String id() {
    return id;
  }

  long startNanos() {
    return startNanos;
  }

  List<RequestStats> stats() {
    return stats;
  }

  void add(RequestStats of) {
    stats.add(of);
  }

  private static long gcMillis() {
    return COLLECTORS.stream().mapToLong(GarbageCollectorMXBean::getCollectionTime).sum();
  }

  /** The line's fields; those of the slowest answer where there were several. */
  Map<String, @Nullable Object> fields(String method, String path, int status, String client) {
    double seconds = (System.nanoTime() - startNanos) / 1e9;
    var fields = new LinkedHashMap<String, @Nullable Object>();
    fields.put("id", id);
    fields.put("client", client.isEmpty() ? null : client);
    fields.put("request", method + " " + path);
    fields.put("status", status);
    fields.put("seconds", round(seconds));
    if (stats.isEmpty()) {
      return fields;
    }
    RequestStats slowest = stats.getFirst();
    for (RequestStats s : stats) {
      slowest = s.timings().totalNanos() > slowest.timings().totalNanos() ? s : slowest;
    }
    RequestStats s = slowest;
    var t = s.timings();
    double gc = (gcMillis() - gcMillis) / 1e3;
    fields.put("answers", stats.size() == 1 ? null : stats.size());
    fields.put("finish", s.finishReason().name().toLowerCase(Locale.ROOT));
    fields.put("queued_seconds", round(t.queuedNanos() / 1e9));
    fields.put("prefill_seconds", round(t.prefillNanos() / 1e9));
    fields.put("decode_seconds", round(t.decodeNanos() / 1e9));
    fields.put("prompt_tokens", s.promptTokens());
    fields.put("cached_tokens", s.cachedTokens());
    fields.put("generated_tokens", s.generatedTokens());
    fields.put("mean_batch", Math.round(s.meanBatch() * 10) / 10.0);
    fields.put("preemptions", s.preemptions());
    fields.put("gc_seconds", round(gc));
    fields.put("mostly", mostly(s, seconds, gc));
    return fields;
  }

  /** Where most of the time went, in words. */
  private static String mostly(RequestStats s, double seconds, double gc) {
    var t = s.timings();
    double queued = t.queuedNanos() / 1e9;
    double prefill = t.prefillNanos() / 1e9;
    double decode = t.decodeNanos() / 1e9;
    double sending = seconds - queued - prefill - decode;
    double most = Math.max(Math.max(queued, prefill), Math.max(decode, sending));
    if (gc > 0.5 * seconds) {
      return "collecting garbage";
    }
    if (most == queued) {
      return "waiting for a place in the batch";
    }
    if (s.preemptions() > 0) {
      return "computing again what was preempted for want of KV blocks";
    }
    if (most == prefill) {
      return s.promptTokens() - s.cachedTokens() + " prompt tokens that were not cached";
    }
    if (most == decode) {
      return s.generatedTokens() + " tokens in batches of " + Math.round(s.meanBatch());
    }
    return "sending the answer";
  }

  private static double round(double seconds) {
    return Math.round(seconds * 1e4) / 1e4;
  }
}
