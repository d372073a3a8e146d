package dev.ridgeline.gguf;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One open file of a model. A {@link RandomAccessFile}, not a channel: a channel closes itself when
 * a thread that uses it is interrupted, and this one is asked for its size long after it was
 * opened.
 */
final class Part implements AutoCloseable {
  private static final int WRITER_MILLIS = 1000;

  private final String name;
  private final Path path;
  private final RandomAccessFile file;
  private final long bytes;
  private final Header header;

  /** Guards {@link #lease} and the two below. */
  private final Object holding = new Object();

  private @Nullable Lease lease;
  private int holders;
  private boolean held;
  private boolean everHeld;

  private Part(String name, Path path, RandomAccessFile file) throws IOException {
    this.name = name;
    this.path = path;
    this.file = file;
    this.bytes = file.length();
    this.header = Header.read(name, new HeaderReader(name, file, bytes));
  }

  /** Opens {@code path} and reads its header; messages call the file {@code name}. */
  static Part open(Path path, String name) {
    if (!Files.isRegularFile(path)) {
      throw new GgufException(
          name, Files.exists(path) ? "is not a regular file" : "there is no such file");
    }
    try {
      RandomAccessFile file = new RandomAccessFile(path.toFile(), "r");
      try {
        return new Part(name, path, file);
      } catch (GgufException | IOException e) {
        file.close();
        throw e;
      }
    } catch (IOException e) {
      throw new GgufException(name, "cannot be opened: " + e.getMessage(), e);
    } catch (UnsupportedOperationException e) {
      throw new GgufException(name, "is not a file of the default file system", e);
    }
  }

  Path path() {
    return path;
  }

  long bytes() {
    return bytes;
  }

  Header header() {
    return header;
  }

  /** How many parts the model has that this is one of; 1 for a whole model. */
  int splitCount() {
    return header.metadata().integerWithin(Format.SPLIT_COUNT_KEY, 1, Format.MAX_PARTS, 1);
  }

  /** This part's place among them, from 0. */
  int splitNo() {
    return header.metadata().integerWithin(Format.SPLIT_NO_KEY, 0, Format.MAX_PARTS - 1);
  }

  /** Checks that this says to be part {@code number}, from 1, of {@code count}. */
  void checkSplit(int number, int count) {
    if (splitNo() != number - 1 || splitCount() != count) {
      throw fail(
          Format.SPLIT_NO_KEY,
          "%s is %d and %s is %d; expected %d and %d as in its name"
              .formatted(
                  Format.SPLIT_NO_KEY,
                  splitNo(),
                  Format.SPLIT_COUNT_KEY,
                  splitCount(),
                  number - 1,
                  count));
    }
  }

  GgufException fail(String message) {
    return new GgufException(name, message);
  }

  /** An error of the value at {@code key}. */
  GgufException fail(String key, String message) {
    return header.metadata().origin().at(key, message);
  }

  /** Maps the tensor data, up to the end of the last tensor. */
  MemorySegment map(Arena arena) {
    long end = header.tensors().stream().mapToLong(Header.TensorInfo::end).max().orElse(0);
    if (end == 0) {
      return MemorySegment.NULL;
    }
    try {
      return file.getChannel().map(MapMode.READ_ONLY, header.dataOffset(), end, arena);
    } catch (IOException e) {
      throw new GgufException(name, "cannot be mapped into memory: " + e.getMessage(), e);
    }
  }

  void checkNotTruncated() {
    long now;
    try {
      now = file.length();
    } catch (IOException e) {
      throw new GgufException(name, "its size cannot be read any more: " + e.getMessage(), e);
    }
    if (now < bytes) {
      throw new GgufException(
          name,
          now,
          "the file was truncated while open: it had %d bytes, now %d".formatted(bytes, now));
    }
  }

  /**
   * Makes whoever would write the file wait for {@link #letGo()}, if the system can. A file that
   * was held before and now cannot be is being written: that may be over in a moment.
   *
   * @throws GgufException if it is still being written after a second
   */
  void hold() {
    synchronized (holding) {
      if (holders++ > 0) {
        return;
      }
      if (lease == null) {
        lease = new Lease(path);
      }
      held = lease.take();
      for (int tries = 0; everHeld && !held && tries < WRITER_MILLIS; tries++) {
        LockSupport.parkNanos(1_000_000);
        held = lease.take();
      }
      if (everHeld && !held) {
        checkNotTruncated();
        throw fail(
            "another program has it open for writing; replace a file that is in use by renaming another over it");
      }
      everHeld |= held;
    }
  }

  /** Ends a {@link #hold()}, one that failed too. */
  void letGo() {
    synchronized (holding) {
      if (--holders == 0 && held && lease != null) {
        lease.release();
        held = false;
      }
    }
  }

  @Override
  public void close() {
    synchronized (holding) {
      if (lease != null) {
        lease.close();
      }
    }
    try {
      file.close();
    } catch (IOException e) {
      throw new UncheckedIOException(name, e);
    }
  }
}
