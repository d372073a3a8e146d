package dev.ridgeline.cli;

import dev.ridgeline.backend.Place;
import java.io.PrintWriter;
import java.util.List;

/**
 * Where a model is about to be loaded, and what it takes there: a line a device. Nothing where the
 * processor alone was asked for or is all there is.
 */
final class Plans {
  private Plans() {}

  static void print(PrintWriter err, List<Place> places, int kvTokens) {
    if (places.size() == 1 && places.getFirst().kind() == Place.Kind.HOST) {
      return;
    }
    places.forEach(place -> err.println("memory: " + place.describe(kvTokens)));
    err.flush();
  }
}
