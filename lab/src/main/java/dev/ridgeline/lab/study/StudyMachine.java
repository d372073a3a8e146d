package dev.ridgeline.lab.study;

import dev.ridgeline.backend.Backend;
import org.jspecify.annotations.Nullable;

/**
 * The backends of a study.
 *
 * @param backend that measures
 * @param fallback for variants that do not fit it; null = none
 */
public record StudyMachine(Backend backend, @Nullable Backend fallback) implements AutoCloseable {
  /** What quality is measured on: where everything fits. */
  Backend qualityBackend() {
    return backend;
  }

  @Override
  public void close() {
    backend.close();
    if (fallback != null) {
      fallback.close();
    }
  }
}
