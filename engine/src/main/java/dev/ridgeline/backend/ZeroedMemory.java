package dev.ridgeline.backend;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ridgeline.os.CLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;

/**
 * Memory of zeros that takes neither time nor room until it is written: the system hands out its
 * pages one by one. {@link Arena#allocate} writes the zeros itself, which for a KV cache of 4 GB
 * takes seconds and all of the room, whatever part of the context is ever used.
 */
public final class ZeroedMemory {
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
  private static final long PAGE_BYTES = 4096;

  private ZeroedMemory() {}

  /**
   * {@code bytes} zeros, at least as aligned as a cache line, freed with {@code arena}.
   *
   * @throws OutOfMemoryError if the system refuses
   */
  public static MemorySegment allocate(Arena arena, long bytes) {
    if (bytes < PAGE_BYTES || !CLibrary.isUsable()) {
      return arena.allocate(bytes, 64);
    }
    MemorySegment pages =
        Libc.MMAP.call(MemorySegment.NULL, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
    if (pages.address() == -1) {
      throw new OutOfMemoryError("the system refuses " + bytes + " bytes");
    }
    return pages.reinterpret(bytes, arena, all -> Libc.MUNMAP.call(all, bytes));
  }

  /** Two functions of the C library. */
  static final class Libc {
    /**
     * {@code void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t)}.
     */
    public interface Mmap {
      MemorySegment call(
          MemorySegment address, long length, int protection, int flags, int file, long offset);
    }

    /** {@code int munmap(void *address, size_t length)}. */
    public interface Munmap {
      int call(MemorySegment address, long length);
    }

    static final Mmap MMAP =
        CLibrary.function(
            Mmap.class,
            "mmap",
            FunctionDescriptor.of(
                ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    static final Munmap MUNMAP =
        CLibrary.function(
            Munmap.class, "munmap", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));

    private Libc() {}
  }
}
