package dev.ridgeline.cpu;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.BackendProvider;
import dev.ridgeline.backend.Degradation;
import java.util.Optional;

/** Finds {@link CpuBackend}. Touches no vector class, so that it loads where there are none. */
public final class CpuProvider implements BackendProvider {
  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public int preference() {
    return 50;
  }

  @Override
  public Optional<String> unavailable() {
    boolean present = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    return present ? Optional.empty() : Optional.of(Degradation.NO_VECTOR_MODULE.text());
  }

  @Override
  public Backend open(BackendOptions options) {
    return new CpuBackend(options.withoutDevices(name()));
  }
}
