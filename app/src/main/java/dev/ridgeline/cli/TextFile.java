package dev.ridgeline.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Text that a command is given as a file. */
final class TextFile {
  private TextFile() {}

  /** The whole of {@code file}, which must be UTF-8; {@code -} is standard input. */
  static String read(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new Errors.InputException(file + ": is a folder; expected a text file");
    }
    boolean standardInput = file.toString().equals("-");
    byte[] bytes = standardInput ? System.in.readAllBytes() : Files.readAllBytes(file);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer text = CharBuffer.allocate(bytes.length);
    CoderResult result = StandardCharsets.UTF_8.newDecoder().decode(in, text, true);
    if (result.isError()) {
      String name = standardInput ? "standard input" : file.toString();
      throw new Errors.InputException(
          "%s @ byte %d: not UTF-8; expected a text file in UTF-8".formatted(name, in.position()));
    }
    return text.flip().toString();
  }
}
