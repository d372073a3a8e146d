package dev.ridgeline.cpu;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.BackendProvider;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import jdk.incubator.vector.FloatVector;

/**
 * The CPU backend at every vector width of this machine, in one JVM: each width has its own copy of
 * the backend's classes, whose width is a constant.
 */
final class Widths {
  private static final String PROPERTY = "ridgeline.vector.bits";

  private Widths() {}

  /** 128, 256 and 512, as far as this machine has them. */
  static List<Integer> all() {
    return Stream.of(128, 256, 512)
        .filter(bits -> bits <= FloatVector.SPECIES_PREFERRED.vectorBitSize())
        .toList();
  }

  /** A backend for each width and number of threads. */
  static Backend[] backends(int... threads) {
    var backends = new ArrayList<Backend>();
    for (int bits : all()) {
      for (int t : threads) {
        backends.add(backend(bits, t));
      }
    }
    return backends.toArray(Backend[]::new);
  }

  /** A backend of one width, without machine code. */
  static Backend backend(int bits, int threads) {
    BackendProvider provider = (BackendProvider) create(bits, CpuProvider.class.getName());
    return provider.open(new BackendOptions(threads, 0));
  }

  /**
   * An instance of {@code className}, from the copy of the backend whose vectors have {@code bits}.
   */
  static Object create(int bits, String className) {
    System.setProperty(PROPERTY, Integer.toString(bits));
    try {
      var loader = new CopyLoader();
      Class.forName("dev.ridgeline.cpu.vector.Lanes", true, loader);
      return Class.forName(className, true, loader).getConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("cannot load " + className, e);
    } finally {
      System.clearProperty(PROPERTY);
    }
  }

  /** Loads the backend's classes itself and leaves all others to its parent. */
  private static final class CopyLoader extends ClassLoader {
    CopyLoader() {
      super(Widths.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith("dev.ridgeline.cpu.")) {
        return super.loadClass(name, resolve);
      }
      synchronized (getClassLoadingLock(name)) {
        Class<?> loaded = findLoadedClass(name);
        return loaded != null ? loaded : define(name);
      }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
      try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
        if (in == null) {
          throw new ClassNotFoundException(name);
        }
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
