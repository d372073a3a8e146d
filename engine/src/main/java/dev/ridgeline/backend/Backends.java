package dev.ridgeline.backend;

import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
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
   *
   * @throws IllegalArgumentException if there is none of that name, or it cannot run here
   */
  public static Backend open(String name, BackendOptions options) {
    if (name.equals(AUTO)) {
      List<BackendProvider> all = providers();
      return all.stream()
          .filter(p -> p.unavailable().isEmpty())
          .findFirst()
          .orElseThrow(() -> new IllegalArgumentException("no backend can run here: " + why(all)))
          .open(options);
    }
    // Unsorted: how much a backend is preferred can take a driver's start to tell.
    List<BackendProvider> all = found().toList();
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
    return provider.open(options);
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
