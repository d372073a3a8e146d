package dev.ridgeline.cli;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * The small model that ships in a jar of its own. A model is mapped, and a jar's entry cannot be,
 * so it is unpacked once into the user's cache folder.
 */
final class BuiltinModel {
  private static final String RESOURCE = "/dev/ridgeline/builtin/stories-q4_k_m.gguf";

  private BuiltinModel() {}

  /** The unpacked model's path. */
  static Path path() {
    URL resource = Main.class.getResource(RESOURCE);
    if (resource == null) {
      throw new Errors.InputException(
          "this installation has no built-in model (its jar was left out); name a model with -m MODEL.gguf");
    }
    try {
      return unpack(resource.openConnection());
    } catch (IOException e) {
      throw new Errors.InputException(
          "cannot unpack the built-in model into %s (%s); set XDG_CACHE_HOME to a writable folder"
              .formatted(CacheFolder.path(), e.getMessage()));
    }
  }

  private static Path unpack(URLConnection resource) throws IOException {
    // The check sum in the name tells another version's file from this one's.
    long sum = resource instanceof JarURLConnection jar ? jar.getJarEntry().getCrc() : 0;
    Path target = CacheFolder.path().resolve("stories-q4_k_m-%08x.gguf".formatted(sum));
    if (Files.exists(target) && Files.size(target) == resource.getContentLengthLong()) {
      return target;
    }
    Files.createDirectories(target.getParent());
    Path part = Files.createTempFile(target.getParent(), "stories", ".part");
    try (InputStream in = resource.getInputStream()) {
      Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(part);
    }
    return target;
  }
}
