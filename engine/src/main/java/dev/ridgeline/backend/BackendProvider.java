package dev.ridgeline.backend;

import java.util.Optional;

/**
 * How a backend is found: implementations are listed in {@code
 * META-INF/services/dev.ridgeline.backend.BackendProvider} and loaded by {@link
 * java.util.ServiceLoader}, so that a backend can live in a module that nobody imports.
 */
public interface BackendProvider {
  /** {@code "reference"}, {@code "cpu"}, {@code "vulkan"}: what {@code --backend} takes. */
  String name();

  /** {@code --backend auto} takes the available provider with the highest preference. */
  int preference();

  /** Why this backend cannot run on this machine, in one line; empty when it can. Cheap. */
  Optional<String> unavailable();

  /** Opens it. */
  Backend open(BackendOptions options);
}
