package dev.ridgeline.server;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataWriter;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What is sent to a client, with the time since when a write has been waiting for it to read. Only
 * the thread of its connection waits; what it holds is freed when the connection is closed.
 */
final class WatchedWriter implements DataWriter {
  private final DataWriter out;
  private final ConnectionReader connection;
  private final Set<WatchedWriter> busy;
  private volatile long sinceNanos;

  /** The writers of all connections that are waiting for their clients to read. */
  static final class Busy {
    private final Set<WatchedWriter> writers = ConcurrentHashMap.newKeySet();

    WatchedWriter watch(DataWriter out, ConnectionReader connection) {
      return new WatchedWriter(out, connection, writers);
    }

    /** Closes connections whose clients have not read for {@code nanos}; how many these are. */
    int closeStuck(long nanos) {
      long now = System.nanoTime();
      var stuck = writers.stream().filter(w -> now - w.sinceNanos > nanos).toList();
      stuck.forEach(w -> w.connection.close());
      writers.removeAll(stuck);
      return stuck.size();
    }
  }

  private WatchedWriter(DataWriter out, ConnectionReader connection, Set<WatchedWriter> busy) {
    this.out = out;
    this.connection = connection;
    this.busy = busy;
  }

  private void watched(Runnable write) {
    sinceNanos = System.nanoTime();
    busy.add(this);
    try {
      write.run();
    } finally {
      busy.remove(this);
    }
  }

  @Override
  public void write(BufferData... buffers) {
    watched(() -> out.write(buffers));
  }

  @Override
  public void write(BufferData buffer) {
    watched(() -> out.write(buffer));
  }

  @Override
  public void writeNow(BufferData... buffers) {
    watched(() -> out.writeNow(buffers));
  }

  @Override
  public void writeNow(BufferData buffer) {
    watched(() -> out.writeNow(buffer));
  }

  @Override
  public void flush() {
    watched(out::flush);
  }

  @Override
  public void close() {
    out.close();
  }
}
