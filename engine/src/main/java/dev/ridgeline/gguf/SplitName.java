package dev.ridgeline.gguf;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The file name of one part of a split model: {@code stem-00002-of-00003.gguf}.
 *
 * @param number of the part, from 1
 * @param count of all parts
 */
record SplitName(String stem, int number, int count) {
  private static final Pattern PATTERN = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");

  static Optional<SplitName> of(Path path) {
    Matcher name = PATTERN.matcher(String.valueOf(path.getFileName()));
    return name.matches()
        ? Optional.of(
            new SplitName(
                name.group(1), Integer.parseInt(name.group(2)), Integer.parseInt(name.group(3))))
        : Optional.empty();
  }

  /** The name of part {@code other}. */
  String fileName(int other) {
    return String.format(Locale.ROOT, "%s-%05d-of-%05d.gguf", stem, other, count);
  }
}
