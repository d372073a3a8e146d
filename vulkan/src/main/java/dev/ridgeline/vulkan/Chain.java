package dev.ridgeline.vulkan;

import dev.ridgeline.vulkan.device.DeviceInfo;
import dev.ridgeline.vulkan.device.DeviceInfo.Kind;
import dev.ridgeline.vulkan.device.GpuBuffer;
import dev.ridgeline.vulkan.device.Recording;

/**
 * Dispatches that follow each other without barriers, each of which waits inside, by a counter of
 * finished workgroups, for the run of dispatches before it ({@code include/chain.glsl}): a barrier
 * costs about 2 us and all loads that could have been under way meanwhile. On an H200 a token of
 * llama-8b Q4_K_M takes 2.08 ms so, 2.43 with barriers.
 */
final class Chain {
  /**
   * Tokens of a step that a chain makes faster: on an H200 by 17, 9 and 11 % for 1, 2 and 4 tokens
   * of a model of 8 B; 12 take 2 % longer, with thousands of workgroups to wait for. {@code
   * MAX_KEPT} of {@code mul_mat_vec_q.comp}, which reads x of more tokens through caches.
   */
  static final int MAX_TOKENS = 4;

  /** Bytes from one counter to the next: each has a cache line to itself. */
  private static final int STRIDE = 128;

  /** Counters of a recording: more than the dispatches of the deepest model for one token. */
  private static final int COUNTERS = 4096;

  /** Bytes of the counters. */
  static final long BYTES = (long) STRIDE * COUNTERS;

  private final long counters;

  /** The counter that the current run of dispatches waits for; it adds to the one after it. */
  private int awaited;

  /** What that counter has to reach; 0 after a barrier, where there is nothing to wait for. */
  private int wanted;

  /** Workgroups of the current run. */
  private int running;

  /** Whether all of the current run count. */
  private boolean pure = true;

  /** A chain in a recording at whose start all counters, {@link #BYTES}, are cleared. */
  Chain(long counters) {
    this.counters = counters;
  }

  /**
   * Whether {@code device} starts workgroups in the order of the dispatches, so that those that
   * wait never keep out those that they wait for. Vulkan does not promise it: NVIDIA's driver does
   * so, where millions of dispatches were run like this; a software device runs one dispatch after
   * the other. Property {@code ridgeline.vulkan.chain} decides otherwise.
   */
  static boolean suits(DeviceInfo device) {
    String property = System.getProperty("ridgeline.vulkan.chain");
    return property != null
        ? Boolean.parseBoolean(property)
        : device.kind() == Kind.SOFTWARE || device.isNvidia();
  }

  /** Clears the counters, after a barrier that what comes before {@code recording} needs. */
  static Chain in(Recording recording, GpuBuffer counters) {
    recording.clear(counters, 0, BYTES);
    recording.barrier();
    return new Chain(counters.address());
  }

  /** A dispatch that does not count joins the current run. */
  void mix() {
    pure = false;
  }

  /** Starts a run that waits for the current one; false if a barrier has to do it. */
  boolean goOn() {
    if (!pure || isFull()) {
      return false;
    }
    awaited++;
    wanted = running;
    running = 0;
    return true;
  }

  /** There was a barrier. */
  void end() {
    awaited = Math.min(awaited + 1, COUNTERS - 1);
    wanted = 0;
    running = 0;
    pure = true;
  }

  private boolean isFull() {
    return awaited + 2 >= COUNTERS;
  }

  /** The link of a dispatch of the current run. */
  void link(Push push, int workgroups) {
    if (isFull()) {
      pure = false;
      noLink(push);
      return;
    }
    push.addresses(counters + (long) STRIDE * awaited).ints(wanted);
    running += workgroups;
  }

  /** The link of a dispatch that neither waits nor is waited for. */
  static void noLink(Push push) {
    push.addresses(0).ints(0);
  }
}
