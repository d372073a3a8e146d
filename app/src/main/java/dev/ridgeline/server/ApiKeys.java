package dev.ridgeline.server;

import dev.ridgeline.server.ApiException.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Who may ask. The file has a line for each key, {@code KEY} or {@code NAME KEY}; lines that are
 * empty or begin with # do not count. It is read again when it has changed; one that cannot be read
 * then leaves the keys as they were.
 */
final class ApiKeys {
  /** Whoever asks without a key where none is needed. */
  private static final String EVERYBODY = "";

  private final @Nullable Path file;
  private volatile Map<String, String> nameOfHash = Map.of();
  private @Nullable FileTime read;

  /**
   * @throws IllegalArgumentException if the file cannot be read or holds no key
   */
  ApiKeys(@Nullable Path file) {
    this.file = file;
    if (file != null) {
      try {
        load(file);
      } catch (IOException e) {
        throw new IllegalArgumentException(
            "--api-keys: cannot read %s (%s)".formatted(file, e.getMessage()), e);
      }
    }
  }

  /** Reads the file again if it has changed; whether it has. */
  synchronized boolean refresh() {
    if (file == null) {
      return false;
    }
    try {
      if (Files.getLastModifiedTime(file).equals(read)) {
        return false;
      }
      load(file);
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private synchronized void load(Path path) throws IOException {
    FileTime time = Files.getLastModifiedTime(path);
    var keys = new HashMap<String, String>();
    List<String> lines = Files.readAllLines(path);
    for (int i = 0; i < lines.size(); i++) {
      String[] words = lines.get(i).strip().split("\\s+", -1);
      if (words[0].isEmpty() || words[0].startsWith("#")) {
        continue;
      }
      if (words.length > 2) {
        throw new IllegalArgumentException(
            "%s, line %d: expected KEY or NAME KEY, found %d words"
                .formatted(path, i + 1, words.length));
      }
      keys.put(hash(words[words.length - 1]), words.length == 2 ? words[0] : "key" + (i + 1));
    }
    if (keys.isEmpty()) {
      throw new IllegalArgumentException(
          path + ": holds no key; expected a line KEY or NAME KEY for each");
    }
    read = time;
    nameOfHash = Map.copyOf(keys);
  }

  int count() {
    return nameOfHash.size();
  }

  /**
   * The name of whoever shows these headers.
   *
   * @param authorization of the form {@code Bearer KEY}
   * @param apiKey as Anthropic's clients send it
   */
  String check(Optional<String> authorization, Optional<String> apiKey) {
    if (file == null) {
      return EVERYBODY;
    }
    String key =
        authorization
            .filter(a -> a.regionMatches(true, 0, "Bearer ", 0, 7))
            .map(a -> a.substring(7).strip())
            .or(() -> apiKey)
            .orElseThrow(
                () ->
                    ApiException.of(
                        Kind.UNAUTHORIZED,
                        "no API key; expected a header 'Authorization: Bearer KEY'"));
    // Looked up by its hash, the time says nothing about how much of a guess was right.
    String name = nameOfHash.get(hash(key));
    if (name == null) {
      throw ApiException.of(Kind.UNAUTHORIZED, "the API key is not known");
    }
    return name;
  }

  private static String hash(String key) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
