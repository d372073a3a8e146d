package dev.ridgeline.server;

import dev.ridgeline.scheduler.GenerateParams;

/** What a request demands of the form of its answer. */
final class Constraints {
  private Constraints() {}

  /** {@code params} with the constraint that {@code body} asks for, if it does. */
  static GenerateParams apply(Exchange exchange, Fields body, GenerateParams params) {
    return params;
  }
}
