package dev.ridgeline.lab.quality;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * The log-probabilities of one model over a text, on disk, for others to be compared with. Laid out
 * as llama.cpp's {@code --kl-divergence-base}, little-endian:
 *
 * <pre>
 *   "_logits_"                      8 bytes
 *   context, vocabulary, windows    i32 each
 *   ids                             i32 [windows][context]
 *   rows, in the order of the scored positions; each:
 *     scale, lowest                 f32 each
 *     levels                        u16 [vocabulary, rounded up to even]
 *       ln p(id) = lowest + scale * level; level 0 is e^-16 of the most probable, or less
 * </pre>
 */
final class KldBase implements AutoCloseable {
  private static final byte[] MAGIC = "_logits_".getBytes(StandardCharsets.US_ASCII);
  private static final int HEADER = 20;
  private static final float DEEPEST = 16;
  private static final int MAX_LEVEL = 65535;
  private static final int MAX_VOCABULARY = 1 << 24;

  private final FileChannel file;
  private final Windows windows;
  private final int vocabulary;

  private KldBase(FileChannel file, Windows windows, int vocabulary) {
    this.file = file;
    this.windows = windows;
    this.vocabulary = vocabulary;
  }

  /** Fills a file. */
  interface Filler {
    /** Called once, with the open file. */
    void fill(KldBase base);
  }

  /** Writes a file that appears at {@code path} only when whole. */
  static void write(Path path, Windows windows, int vocabulary, Filler filler) throws IOException {
    Path temporary =
        path.resolveSibling(
            path.getFileName() + "." + UUID.randomUUID().toString().substring(0, 8) + ".part");
    try {
      try (var channel =
              FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
          var base = new KldBase(channel, windows, vocabulary)) {
        base.writeHeader();
        filler.fill(base);
      } catch (UncheckedIOException e) {
        throw e.getCause();
      }
      Files.move(temporary, path, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /**
   * Opens {@code path}.
   *
   * @throws IllegalArgumentException in one line, if it is not such a file, or not all of it
   */
  static KldBase open(Path path) throws IOException {
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
    try {
      ByteBuffer header = buffer(HEADER);
      readFully(channel, header, 0, path);
      byte[] magic = new byte[MAGIC.length];
      header.get(magic);
      int context = header.getInt();
      int vocabulary = header.getInt();
      int count = header.getInt();
      long room = channel.size();
      if (!java.util.Arrays.equals(magic, MAGIC)
          || context < 4
          || vocabulary < 1
          || vocabulary > MAX_VOCABULARY
          || count < 1
          || (long) context * count > room / Integer.BYTES) {
        throw new IllegalArgumentException(path + ": not a file that --kld-save wrote");
      }
      ByteBuffer ids = buffer(Math.toIntExact(4L * context * count));
      readFully(channel, ids, HEADER, path);
      int[][] windows = new int[count][context];
      for (int[] window : windows) {
        ids.asIntBuffer().get(window);
        ids.position(ids.position() + 4 * context);
      }
      var base = new KldBase(channel, new Windows(windows, context / 2), vocabulary);
      long expected = base.rowAt(count, base.windows.firstScored());
      if (room < expected) {
        throw new IllegalArgumentException(
            "%s: has %d bytes; its header promises %d".formatted(path, room, expected));
      }
      return base;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void readFully(FileChannel file, ByteBuffer into, long at, Path path)
      throws IOException {
    while (into.hasRemaining()) {
      if (file.read(into, at + into.position()) < 0) {
        throw new IllegalArgumentException(path + ": not a file that --kld-save wrote");
      }
    }
    into.flip();
  }

  Windows windows() {
    return windows;
  }

  int vocabulary() {
    return vocabulary;
  }

  private void writeHeader() throws IOException {
    ByteBuffer header = buffer(HEADER + 4 * windows.count() * windows.context());
    header.put(MAGIC).putInt(windows.context()).putInt(vocabulary).putInt(windows.count());
    for (int[] window : windows.ids()) {
      for (int id : window) {
        header.putInt(id);
      }
    }
    writeFully(header.flip(), 0);
  }

  private int rowBytes() {
    return 8 + 4 * ((vocabulary + 1) / 2);
  }

  private long rowAt(int window, int position) {
    long row = (long) window * windows.scored() + position - windows.firstScored();
    return HEADER + 4L * windows.count() * windows.context() + row * rowBytes();
  }

  /** Stores the row of a position; several threads may. */
  void put(int window, int position, float[] logits, double logSumExp) {
    float max = Float.NEGATIVE_INFINITY;
    float min = Float.POSITIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
      min = Math.min(min, logit);
    }
    min = Math.max(min, max - DEEPEST);
    float scale = (max - min) / MAX_LEVEL;
    float inverse = scale > 0 ? 1 / scale : 0;
    ByteBuffer row = buffer(rowBytes());
    row.putFloat(scale).putFloat((float) (min - logSumExp));
    for (int i = 0; i < vocabulary; i++) {
      int level = logits[i] > min ? (int) Math.rint(inverse * (logits[i] - min)) : 0;
      row.putShort((short) Math.min(level, MAX_LEVEL));
    }
    try {
      writeFully(row.rewind(), rowAt(window, position));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void writeFully(ByteBuffer bytes, long at) throws IOException {
    while (bytes.hasRemaining()) {
      file.write(bytes, at + bytes.position());
    }
  }

  /** Reads the row of a position; several threads may. */
  void get(int window, int position, float[] logProbabilities) {
    ByteBuffer row = buffer(rowBytes());
    long at = rowAt(window, position);
    try {
      while (row.hasRemaining()) {
        if (file.read(row, at + row.position()) < 0) {
          throw new IOException("the file of the base model became shorter");
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    row.flip();
    float scale = row.getFloat();
    float lowest = row.getFloat();
    for (int i = 0; i < vocabulary; i++) {
      logProbabilities[i] = lowest + scale * (row.getShort() & 0xFFFF);
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
