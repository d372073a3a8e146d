package dev.ridgeline.vulkan;

import dev.ridgeline.vulkan.device.ShaderCompiler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Build step: compiles every {@link Kernel} whose source, includes or defines changed since it was
 * last compiled. Arguments: the folder of the sources, the folder for the SPIR-V.
 */
final class BuildShaders {
  private static final Pattern INCLUDE = Pattern.compile("(?m)^#include \"([^\"]+)\"$");

  private BuildShaders() {}

  /** Compiles into {@code args[1]} what stands in {@code args[0]}. */
  public static void main(String[] args) throws Exception {
    Path sources = Path.of(args[0]);
    Path out = Files.createDirectories(Path.of(args[1]));
    try (var compiler = new ShaderCompiler();
        var workers = Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors())) {
      List<Callable<Path>> tasks = new ArrayList<>();
      for (Kernel kernel : Kernel.all()) {
        tasks.add(() -> compile(compiler, kernel, sources, out));
      }
      for (Future<Path> done : workers.invokeAll(tasks)) {
        done.get();
      }
    }
  }

  private static Path compile(ShaderCompiler compiler, Kernel kernel, Path sources, Path out)
      throws IOException {
    String source = expand(sources, kernel.source());
    Path spirv = out.resolve(kernel.name() + ".spv");
    Path stamp = out.resolve(kernel.name() + ".sha256");
    String hash = hash(new TreeMap<>(kernel.defines()) + source);
    if (Files.exists(spirv) && Files.exists(stamp) && Files.readString(stamp).equals(hash)) {
      return spirv;
    }
    Files.write(spirv, compiler.compile(kernel.name(), source, kernel.defines()));
    Files.writeString(stamp, hash);
    return spirv;
  }

  /** The text of {@code file} with its includes in their places. */
  private static String expand(Path sources, String file) throws IOException {
    Matcher m = INCLUDE.matcher(Files.readString(sources.resolve(file)));
    var text = new StringBuilder();
    while (m.find()) {
      m.appendReplacement(text, Matcher.quoteReplacement(expand(sources, m.group(1))));
    }
    return m.appendTail(text).toString();
  }

  private static String hash(String text) {
    try {
      var digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
