package dev.ridgeline.backend;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The backends of this program: every {@link BackendProvider} on the class path. */
public final class Backends {
  /** Takes the available backend with the highest preference. */
  public static final String AUTO = "auto";

  private Backends() {}

  /** All of them, best first, whether they can run here or not. */
  public static List<BackendProvider> providers() {
    return found().sorted(Comparator.comparingInt(BackendProvider::preference).reversed()).toList();
  }

  private static Stream<BackendProvider> found() {
    return ServiceLoader.load(BackendProvider.class).stream().map(ServiceLoader.Provider::get);
  }

  /**
   * Opens the backend called {@code name}, or for {@link #AUTO} the best one that can run here.
   * Where it has devices, models that do not fit on one are split, see {@link PlacedBackend}.
   *
   * @throws IllegalArgumentException if there is none of that name, or it cannot run here
   */
  public static Backend open(String name, BackendOptions options) {
    // Unsorted where it can be: how much a backend is preferred can take a driver's start to tell.
    List<BackendProvider> all = name.equals(AUTO) ? providers() : found().toList();
    BackendProvider provider = name.equals(AUTO) ? best(all) : named(name, all);
    if (!provider.devices().isEmpty()) {
      return new PlacedBackend(choice(provider, options));
    }
    if (options.gpuLayers() > 0) {
      throw new IllegalArgumentException(
          "%d layers on a GPU: backend '%s' has none; %s"
              .formatted(options.gpuLayers(), provider.name(), why(all)));
    }
    return provider.open(options);
  }

  private static BackendProvider best(List<BackendProvider> all) {
    return all.stream()
        .filter(p -> p.unavailable().isEmpty() && p.preference() >= 0)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no backend can run here: " + why(all)));
  }

  private static BackendProvider named(String name, List<BackendProvider> all) {
    BackendProvider provider =
        all.stream()
            .filter(p -> p.name().equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "unknown backend '%s'; known are auto, %s".formatted(name, names(all))));
    provider
        .unavailable()
        .ifPresent(
            reason -> {
              throw new IllegalArgumentException(
                  "backend '%s' cannot run here: %s".formatted(name, reason));
            });
    return provider;
  }

  /** A device that is listed twice counts as two, each with half of its memory. */
  private static PlacedBackend.Choice choice(BackendProvider provider, BackendOptions options) {
    boolean named = !options.devices().isEmpty();
    List<Integer> devices = named ? options.devices() : provider.devices();
    var open = new ArrayList<Supplier<Backend>>();
    var share = new ArrayList<Double>();
    for (int device : devices) {
      open.add(() -> provider.open(options.on(device)));
      share.add(1.0 / Collections.frequency(devices, device));
    }
    return new PlacedBackend.Choice(
        open, share, () -> host(options), options.gpuLayers(), named && devices.size() > 1);
  }

  /** The best backend that computes out of the process's own memory. */
  private static Backend host(BackendOptions options) {
    return best(providers().stream().filter(p -> p.devices().isEmpty()).toList())
        .open(options.onHost());
  }

  private static String names(List<BackendProvider> providers) {
    return providers.stream().map(BackendProvider::name).collect(Collectors.joining(", "));
  }

  private static String why(List<BackendProvider> providers) {
    return providers.stream()
        .map(p -> p.name() + " (" + p.unavailable().orElse("available") + ")")
        .collect(Collectors.joining(", "));
  }
}
