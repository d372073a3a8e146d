package dev.ridgeline.reference;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.BackendProvider;
import java.util.Optional;

/**
 * Finds {@link ReferenceBackend}: there on every machine, chosen by itself only as a last resort.
 */
public final class ReferenceProvider implements BackendProvider {
  @Override
  public String name() {
    return "reference";
  }

  @Override
  public int preference() {
    return 0;
  }

  @Override
  public Optional<String> unavailable() {
    return Optional.empty();
  }

  @Override
  public Backend open(BackendOptions options) {
    options.withoutDevices(name());
    return new ReferenceBackend();
  }
}
