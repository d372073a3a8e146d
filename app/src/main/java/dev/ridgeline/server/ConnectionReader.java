package dev.ridgeline.server;

import io.helidon.common.socket.HelidonSocket;
import io.helidon.webserver.CloseConnectionException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a client sends, with one read ahead of need: while a request is worked on, {@link #watch}
 * waits for the next bytes in a thread of its own, and tells when the client closes the connection
 * instead. The bytes are kept for whoever reads next.
 */
final class ConnectionReader implements Supplier<byte[]> {
  private final HelidonSocket socket;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private boolean watching;
  private byte @Nullable [] ahead;
  private boolean ended;
  private @Nullable Runnable whenGone;
  private volatile boolean last;

  ConnectionReader(HelidonSocket socket) {
    this.socket = socket;
  }

  /** The next bytes; waits for them, as long as the socket's read timeout. Null at the end. */
  @Override
  public byte @Nullable [] get() {
    if (last) {
      return null;
    }
    lock.lock();
    try {
      while (watching) {
        changed.await();
      }
      byte[] bytes = ahead;
      ahead = null;
      if (bytes != null || ended) {
        return bytes;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CloseConnectionException("interrupted while waiting for a request", e);
    } finally {
      lock.unlock();
    }
    try {
      return socket.get();
    } catch (UncheckedIOException e) {
      throw new CloseConnectionException("the client is gone, or too slow", e);
    }
  }

  /** Calls {@code gone}, once, if the client goes away before {@link #unwatch}. */
  void watch(Runnable gone) {
    lock.lock();
    try {
      whenGone = gone;
      if (!ended && !watching && ahead == null) {
        watching = true;
        Thread.ofVirtual().name("watch " + socket.childSocketId()).start(this::readAhead);
        return;
      }
    } finally {
      lock.unlock();
    }
    if (ended) {
      tell();
    }
  }

  void unwatch() {
    lock.lock();
    try {
      whenGone = null;
    } finally {
      lock.unlock();
    }
  }

  /** Nothing more is read: the connection ends with the answer to this request. */
  void end() {
    last = true;
  }

  /** Closes the connection, whoever is reading or writing. */
  void close() {
    try {
      socket.close();
    } catch (UncheckedIOException e) {
      // it was closed
    }
  }

  private void readAhead() {
    byte[] bytes = null;
    boolean waiting = true;
    while (waiting) {
      try {
        bytes = socket.get();
        waiting = false;
      } catch (UncheckedIOException e) {
        // A read timeout says nothing about the client: it is waiting for us.
        waiting = e.getCause() instanceof SocketTimeoutException && isWatched();
      } catch (RuntimeException e) {
        waiting = false;
      }
    }
    lock.lock();
    try {
      ahead = bytes;
      ended = bytes == null;
      watching = false;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    if (bytes == null) {
      tell();
    }
  }

  private boolean isWatched() {
    lock.lock();
    try {
      return whenGone != null;
    } finally {
      lock.unlock();
    }
  }

  private void tell() {
    Runnable gone;
    lock.lock();
    try {
      gone = whenGone;
      whenGone = null;
    } finally {
      lock.unlock();
    }
    if (gone != null) {
      gone.run();
    }
  }
}
