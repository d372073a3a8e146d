package dev.ridgeline.scheduler;

/**
 * What an engine is doing, as of its last step; reading it never waits for a step.
 *
 * @param waiting requests without a place in the batch
 * @param waitingTokens tokens that these have to compute
 * @param running requests in the batch
 * @param kvUsage share of the KV blocks that requests use, 0 to 1; of the group that is fullest
 * @param blocks KV blocks of all groups
 * @param stepNanos how long the step under way has been running; 0 if there is none
 */
public record EngineStatus(
    int waiting, long waitingTokens, int running, double kvUsage, Blocks blocks, long stepNanos) {
  /**
   * KV blocks, over all groups.
   *
   * @param total all there are
   * @param inUse those that requests use
   * @param cached those that are kept for prefixes nobody uses now
   * @param evictions cached ones given up so far
   */
  public record Blocks(int total, int inUse, int cached, long evictions) {
    /** Nothing. */
    public static final Blocks NONE = new Blocks(0, 0, 0, 0);
  }
}
