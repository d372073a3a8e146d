package dev.ridgeline.lab.sensor;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one device's sensors say now.
 *
 * @param device its name
 * @param celsius temperature; null where there is no sensor
 * @param megahertz clock of its cores; null where it is not known
 * @param watts power; null where it is not measured
 * @param throttling why the device says that it runs slower than it could; empty where it does not
 */
public record Reading(
    String device,
    @Nullable Double celsius,
    @Nullable Double megahertz,
    @Nullable Double watts,
    List<String> throttling) {
  /** Copies the list. */
  public Reading {
    throttling = List.copyOf(throttling);
  }

  /** Whether there is anything in it. */
  public boolean isEmpty() {
    return celsius == null && megahertz == null && watts == null;
  }
}
