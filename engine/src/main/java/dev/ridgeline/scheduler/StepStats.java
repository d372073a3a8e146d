package dev.ridgeline.scheduler;

/**
 * One step.
 *
 * @param runNanos in the backend
 * @param sampleNanos choosing tokens and handing them over
 * @param tokens tokens computed
 * @param sequences sequences that had tokens in it
 * @param sampled tokens chosen
 * @param preempted sequences that had to give up their blocks for it
 */
public record StepStats(
    long runNanos, long sampleNanos, int tokens, int sequences, int sampled, int preempted) {}
