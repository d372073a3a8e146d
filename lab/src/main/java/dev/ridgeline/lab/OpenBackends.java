package dev.ridgeline.lab;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.Backends;
import java.util.LinkedHashMap;
import java.util.Map;

/** Backends by name and options, each opened and measured once, closed together. */
public final class OpenBackends implements AutoCloseable {
  private record Key(String name, BackendOptions options) {}

  private final Map<Key, Backend> backends = new LinkedHashMap<>();

  /** By description, too: where a model is split, it says how. */
  private record Measured(Backend backend, String description) {}

  private final Map<Measured, MachineFigures> figures = new LinkedHashMap<>();

  /** The backend, opened at its first use. */
  public Backend get(String name, BackendOptions options) {
    return backends.computeIfAbsent(new Key(name, options), k -> Backends.open(k.name, k.options));
  }

  /** What {@code backend} can do at most, measured at the first call. */
  public MachineFigures figures(Backend backend) {
    return figures.computeIfAbsent(
        new Measured(backend, backend.description()), m -> MachineFigures.measure(m.backend));
  }

  /** The same, after measuring once more. */
  public MachineFigures figuresAgain(Backend backend) {
    MachineFigures better = figures(backend).again(backend);
    figures.put(new Measured(backend, backend.description()), better);
    return better;
  }

  @Override
  public void close() {
    backends.values().forEach(Backend::close);
  }
}
