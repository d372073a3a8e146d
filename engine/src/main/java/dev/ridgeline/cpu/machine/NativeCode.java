package dev.ridgeline.cpu.machine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ridgeline.os.CLibrary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandleProxies;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A machine-code function that Java can call. Its pages are written first and made executable
 * afterwards, never both at once, and stay until the process ends: a few tens of kilobytes in all,
 * shared by every thread.
 *
 * <p>Calls are critical: the thread does not change its state, which costs 2 ns instead of 10, but
 * holds back the garbage collector, so a call must end within about a millisecond.
 */
final class NativeCode {
  private static final String DUMP = "ridgeline.machine.dump";

  private static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int PROT_EXEC = 4;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;

  /** {@code void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t)}. */
  public interface Mmap {
    MemorySegment call(
        MemorySegment address, long length, int protection, int flags, int fd, long offset);
  }

  /** {@code int mprotect(void *address, size_t length, int protection)}. */
  public interface Mprotect {
    int call(MemorySegment address, long length, int protection);
  }

  /** A function of System V's calling convention that takes six integers. */
  public interface Function {
    void call(MemorySegment entry, long a, long b, long c, long d, long e, long f);
  }

  private static final Linker.Option CRITICAL = Linker.Option.critical(false);
  private static final Mmap MMAP =
      CLibrary.function(
          Mmap.class,
          "mmap",
          FunctionDescriptor.of(
              ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final Mprotect MPROTECT =
      CLibrary.function(
          Mprotect.class,
          "mprotect",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
  private static final Function CALL =
      MethodHandleProxies.asInterfaceInstance(
          Function.class,
          Linker.nativeLinker()
              .downcallHandle(
                  FunctionDescriptor.ofVoid(
                      JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                  CRITICAL));

  private final MemorySegment entry;

  private NativeCode(MemorySegment entry) {
    this.entry = entry;
  }

  /**
   * Makes {@code code} callable. With the system property {@value #DUMP} naming a folder, also
   * writes it there as {@code name.bin}, for {@code objdump -D -b binary -m i386:x86-64}.
   *
   * @throws UnsupportedOperationException if the system grants no executable memory
   */
  static NativeCode install(String name, byte[] code) {
    dump(name, code);
    int readWrite = PROT_READ | PROT_WRITE;
    MemorySegment at =
        MMAP.call(MemorySegment.NULL, code.length, readWrite, MAP_PRIVATE_ANONYMOUS, -1, 0);
    if (at.address() == -1) {
      throw new UnsupportedOperationException("the system grants no memory for machine code");
    }
    MemorySegment pages = at.reinterpret(code.length);
    MemorySegment.copy(code, 0, pages, JAVA_BYTE, 0, code.length);
    if (MPROTECT.call(at, code.length, PROT_READ | PROT_EXEC) != 0) {
      throw new UnsupportedOperationException("the system forbids memory to become executable");
    }
    return new NativeCode(pages);
  }

  private static void dump(String name, byte[] code) {
    String folder = System.getProperty(DUMP);
    if (folder != null) {
      try {
        Files.write(Path.of(folder, name + ".bin"), code);
      } catch (IOException e) {
        throw new UncheckedIOException(
            "cannot write the machine code that " + DUMP + " asks for", e);
      }
    }
  }

  /** Runs the function with its six integer arguments. */
  void call(long a, long b, long c, long d, long e, long f) {
    CALL.call(entry, a, b, c, d, e, f);
  }
}
