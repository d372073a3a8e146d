package dev.ridgeline.gguf;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ridgeline.os.CLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * Linux's read lease on a file (fcntl(2), F_SETLEASE): while it is held, whoever opens the file for
 * writing or truncates it waits until it is released, at most {@code /proc/sys/fs/lease-break-time}
 * seconds (45 where nobody changed it). The kernel grants it for local files that nobody has open
 * for writing, to their owner or with CAP_LEASE. Elsewhere, and on other systems, {@link #take()}
 * says no, and that is all. Not for several threads at once.
 */
final class Lease implements AutoCloseable {
  private static final int O_RDONLY_CLOEXEC = 0x80000;
  private static final int F_SETSIG = 10;
  private static final int F_SETLEASE = 1024;
  private static final int F_RDLCK = 0;
  private static final int F_UNLCK = 2;

  /** Told to the holder when somebody waits; ignored by default, unlike SIGIO, which ends it. */
  private static final int SIGURG = 23;

  private static final int CLOSED = -1;

  private int file = CLOSED;

  /** Prepares a lease on {@code path}, which is not held yet. */
  Lease(Path path) {
    if (CLibrary.isUsable()) {
      try (Arena arena = Arena.ofConfined()) {
        file = Libc.OPEN.call(arena.allocateFrom(path.toString()), O_RDONLY_CLOEXEC);
      }
    }
  }

  /**
   * Whether writers wait from now on. Releasing a lease forgets the signal: it is set each time.
   */
  boolean take() {
    return fcntl(F_SETSIG, SIGURG) && fcntl(F_SETLEASE, F_RDLCK);
  }

  /** Lets writers go on; nothing where the lease is not held. */
  void release() {
    fcntl(F_SETLEASE, F_UNLCK);
  }

  private boolean fcntl(int command, int argument) {
    return file != CLOSED && Libc.FCNTL.call(file, command, argument) == 0;
  }

  @Override
  public void close() {
    if (file != CLOSED) {
      Libc.CLOSE.call(file);
      file = CLOSED;
    }
  }

  /** Three functions of the C library. */
  static final class Libc {
    public interface Open {
      int call(MemorySegment path, int flags);
    }

    public interface Fcntl {
      int call(int file, int command, int argument);
    }

    public interface Close {
      int call(int file);
    }

    static final Open OPEN =
        CLibrary.function(Open.class, "open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
    static final Fcntl FCNTL =
        CLibrary.function(
            Fcntl.class,
            "fcntl",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT),
            Linker.Option.firstVariadicArg(2));
    static final Close CLOSE =
        CLibrary.function(Close.class, "close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));

    private Libc() {}
  }
}
