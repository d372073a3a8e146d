package dev.ridgeline.vulkan;

import java.util.ArrayDeque;
import java.util.Deque;

/** What one owner has opened, closed with it in the reverse order. */
final class Opened implements AutoCloseable {
  private final Deque<AutoCloseable> all = new ArrayDeque<>();

  <T extends AutoCloseable> T add(T resource) {
    all.push(resource);
    return resource;
  }

  @Override
  public void close() {
    while (!all.isEmpty()) {
      try {
        all.pop().close();
      } catch (Exception e) {
        throw new IllegalStateException("freeing device memory", e);
      }
    }
  }
}
