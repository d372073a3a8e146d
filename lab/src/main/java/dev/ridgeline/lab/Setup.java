package dev.ridgeline.lab;

import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.KvType;
import java.nio.file.Path;

/**
 * How a model is run.
 *
 * @param model its file
 * @param backend what {@code --backend} takes
 * @param options threads and device
 * @param batch tokens of a prompt in one step, at most
 * @param kvType element type of the KV cache
 */
public record Setup(Path model, String backend, BackendOptions options, int batch, KvType kvType) {
  /** Rejects steps without tokens. */
  public Setup {
    if (batch <= 0) {
      throw new IllegalArgumentException("batch: expected 1 or more, found " + batch);
    }
  }
}
