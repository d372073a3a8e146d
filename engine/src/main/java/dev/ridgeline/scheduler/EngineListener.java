package dev.ridgeline.scheduler;

/**
 * Hears what happens, on the step thread: methods must return at once, and neither throw nor close
 * the engine.
 */
public interface EngineListener {
  /** A step is over. */
  default void onStep(StepStats step) {}

  /** A request is over, whatever the reason. */
  default void onFinish(RequestStats request) {}
}
