package dev.ridgeline.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Text that a command is given as a file. */
final class TextFile {
  private TextFile() {}

  /** The whole of {@code file}, which must be UTF-8; {@code -} is standard input. */
  static String read(Path file) throws IOException {
    boolean standardInput = file.toString().equals("-");
    byte[] bytes = standardInput ? System.in.readAllBytes() : Files.readAllBytes(file);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new Errors.InputException(file + ": not UTF-8 (" + e.getMessage() + ")");
    }
  }
}
