package dev.ridgeline.os;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandleProxies;

/** Binds functions of the C library, whose constants here are Linux's. */
public final class CLibrary {
  private CLibrary() {}

  /** Whether this is Linux, and the JVM was started with {@code --enable-native-access}. */
  public static boolean isUsable() {
    return System.getProperty("os.name").equals("Linux")
        && CLibrary.class.getModule().isNativeAccessEnabled();
  }

  /**
   * The function {@code name} as the one method of {@code type}, a public interface.
   *
   * @throws UnsupportedOperationException if the library has none of that name
   */
  public static <T> T function(
      Class<T> type, String name, FunctionDescriptor descriptor, Linker.Option... options) {
    Linker linker = Linker.nativeLinker();
    MemorySegment address =
        linker
            .defaultLookup()
            .find(name)
            .orElseThrow(() -> new UnsupportedOperationException("the C library has no " + name));
    return MethodHandleProxies.asInterfaceInstance(
        type, linker.downcallHandle(address, descriptor, options));
  }
}
