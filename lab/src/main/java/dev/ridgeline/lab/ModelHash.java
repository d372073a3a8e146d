package dev.ridgeline.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** SHA-256 of a model's files, one after the other, as 64 hexadecimal digits. */
public final class ModelHash {
  private static final int BUFFER_BYTES = 1 << 20;

  private ModelHash() {}

  /** The hash of {@code parts}, in order. */
  public static String of(List<Path> parts) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
      for (Path part : parts) {
        try (FileChannel channel = FileChannel.open(part)) {
          while (channel.read(buffer.clear()) >= 0) {
            sha.update(buffer.flip());
          }
        }
      }
      return HexFormat.of().formatHex(sha.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    } catch (IOException e) {
      throw new UncheckedIOException("hashing " + parts, e);
    }
  }
}
