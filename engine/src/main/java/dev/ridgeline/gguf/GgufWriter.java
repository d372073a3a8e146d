package dev.ridgeline.gguf;

import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Writes a model file, or a split model: first say what belongs in it, then {@link #write} or
 * {@link #writeSplit}. Tensors are produced a few megabytes at a time while the file is written, so
 * a model of any size takes little memory.
 *
 * <pre>{@code
 * new GgufWriter(Map.of("general.architecture", new MetadataValue.Text("llama")))
 *     .tensor(existing)
 *     .tensor("zeros", DType.F32, Shape.of(64, 256), (firstRow, rows) -> rows.fill((byte) 0))
 *     .write(path);
 * }</pre>
 *
 * <p>Files take shape under a temporary name in the same folder and get their own only when
 * complete and on disk, so that a name never stands for half a file; whatever had the name before
 * is replaced. A process that is asked to end (Ctrl-C) takes its temporary files with it; one that
 * is killed leaves them, ending in {@code .part}. Before any tensor is asked for, the header is
 * read back with the checks that {@link GgufFile#open} makes: what was written can be opened.
 */
public final class GgufWriter {
  private static final long CHUNK_BYTES = 1L << 22;
  private static final long CHUNK_ALIGNMENT = 64;
  private static final List<String> SPLIT_KEYS =
      List.of(Format.SPLIT_NO_KEY, Format.SPLIT_COUNT_KEY, Format.SPLIT_TENSORS_KEY);

  private final Map<String, MetadataValue> metadata;
  private final int alignment;
  private final List<Entry> entries = new ArrayList<>();
  private int version = Format.NEWEST_VERSION;

  /** Produces a tensor's data. */
  @FunctionalInterface
  public interface RowSource {
    /**
     * Fills all of {@code rows}, which holds what the last call left there, with whole rows of the
     * tensor, from row {@code firstRow} on. Called from first to last row; the rows of one call are
     * about 4 MB, or one row where that is more.
     */
    void fill(long firstRow, MemorySegment rows) throws IOException;
  }

  private record Entry(String name, DType type, Shape shape, RowSource source) {
    long bytes() {
      return type.bytes(shape.elements());
    }
  }

  /**
   * A file with these pairs, in this order. {@code general.alignment} among them is obeyed; {@code
   * split.*} keys are left out, as they describe the files that the pairs came from.
   */
  public GgufWriter(Map<String, MetadataValue> metadata) {
    this.metadata = new LinkedHashMap<>(metadata);
    this.metadata.keySet().removeAll(SPLIT_KEYS);
    @Nullable MetadataValue value = metadata.get(Format.ALIGNMENT_KEY);
    this.alignment =
        value == null
            ? Format.DEFAULT_ALIGNMENT
            : Format.alignment(value).orElse(Format.DEFAULT_ALIGNMENT);
  }

  /** The version that the file states, 2 or 3; 3 unless called. */
  public GgufWriter version(int version) {
    this.version = version;
    return this;
  }

  /** Appends a tensor whose data exists; it must stay valid until the file is written. */
  public GgufWriter tensor(Tensor tensor) {
    return tensor(
        tensor.name(),
        tensor.type(),
        tensor.shape(),
        (firstRow, rows) ->
            MemorySegment.copy(
                tensor.data(), firstRow * tensor.rowBytes(), rows, 0, rows.byteSize()));
  }

  /**
   * Appends a tensor whose data {@code source} produces while the file is written; a row has less
   * than 2 GiB.
   */
  public GgufWriter tensor(String name, DType type, Shape shape, RowSource source) {
    entries.add(new Entry(name, type, shape, source));
    return this;
  }

  /**
   * Writes everything to one file.
   *
   * @throws GgufException if what was asked for is not a well-formed file, such as two tensors of
   *     one name
   */
  public void write(Path path) throws IOException {
    writeAll(List.of(path), List.of(entries), List.of(metadata));
  }

  /**
   * Writes a split model: parts of at most {@code maxPartBytes} bytes of tensors (or one tensor
   * that has more) beside each other, named like {@code model-00001-of-00003.gguf} where {@code
   * path} is {@code model.gguf}.
   *
   * @return the parts' paths
   */
  public List<Path> writeSplit(Path path, long maxPartBytes) throws IOException {
    List<List<Entry>> parts = distribute(maxPartBytes);
    String stem = path.getFileName().toString().replaceFirst("\\.gguf$", "");
    SplitName name = new SplitName(stem, 1, parts.size());
    List<Path> paths = new ArrayList<>();
    List<Map<String, MetadataValue>> pairs = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      paths.add(path.resolveSibling(name.fileName(i + 1)));
      pairs.add(partMetadata(i, parts.size()));
    }
    writeAll(paths, parts, pairs);
    return paths;
  }

  private List<List<Entry>> distribute(long maxPartBytes) {
    List<List<Entry>> parts = new ArrayList<>();
    List<Entry> part = new ArrayList<>();
    long partBytes = 0;
    for (Entry entry : entries) {
      if (!part.isEmpty() && partBytes + entry.bytes() > maxPartBytes) {
        parts.add(part);
        part = new ArrayList<>();
        partBytes = 0;
      }
      part.add(entry);
      partBytes += entry.bytes();
    }
    parts.add(part);
    return parts;
  }

  private Map<String, MetadataValue> partMetadata(int no, int count) {
    Map<String, MetadataValue> pairs = new LinkedHashMap<>(metadata);
    if (no > 0) {
      pairs.keySet().retainAll(List.of(Format.ALIGNMENT_KEY));
    }
    pairs.put(Format.SPLIT_NO_KEY, new MetadataValue.Int(MetadataType.UINT16, no));
    pairs.put(Format.SPLIT_COUNT_KEY, new MetadataValue.Int(MetadataType.UINT16, count));
    pairs.put(Format.SPLIT_TENSORS_KEY, new MetadataValue.Int(MetadataType.INT32, entries.size()));
    return pairs;
  }

  /** Writes all files under temporary names before the first gets its own. */
  private void writeAll(
      List<Path> paths, List<List<Entry>> parts, List<Map<String, MetadataValue>> pairs)
      throws IOException {
    for (Path path : paths) {
      if (Files.exists(path) && !Files.isRegularFile(path)) {
        throw new FileAlreadyExistsException(path.toString(), null, "not a regular file");
      }
    }
    String suffix = "." + UUID.randomUUID().toString().substring(0, 8) + ".part";
    List<Path> temporaries =
        paths.stream().map(p -> p.resolveSibling(p.getFileName() + suffix)).toList();
    Thread atEnd = Thread.ofPlatform().unstarted(() -> delete(temporaries));
    Runtime.getRuntime().addShutdownHook(atEnd);
    try {
      for (int i = 0; i < paths.size(); i++) {
        writeFile(temporaries.get(i), paths.get(i).toString(), pairs.get(i), parts.get(i));
      }
      for (int i = 0; i < paths.size(); i++) {
        Files.move(temporaries.get(i), paths.get(i), StandardCopyOption.ATOMIC_MOVE);
      }
    } finally {
      delete(temporaries);
      try {
        Runtime.getRuntime().removeShutdownHook(atEnd);
      } catch (IllegalStateException ending) {
        // The process is ending; the hook does its work.
      }
    }
  }

  /** The failure that made them useless matters more than one to delete them. */
  private static void delete(List<Path> temporaries) {
    for (Path temporary : temporaries) {
      try {
        Files.deleteIfExists(temporary);
      } catch (IOException e) {
        // Left behind, with a name that says so.
      }
    }
  }

  private void writeFile(
      Path temporary, String name, Map<String, MetadataValue> pairs, List<Entry> tensors)
      throws IOException {
    long[] offsets = new long[tensors.size()];
    long dataBytes = 0;
    for (int i = 0; i < offsets.length; i++) {
      offsets[i] = dataBytes;
      dataBytes = Format.align(dataBytes + tensors.get(i).bytes(), alignment);
    }
    ByteBuffer header = header(pairs, tensors, offsets);
    long dataOffset =
        tensors.isEmpty() ? header.remaining() : Format.align(header.remaining(), alignment);
    try (FileChannel file =
            FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        var flusher = new Flusher(file)) {
      // The last byte first: the file has its full size, zeros between tensors, and can be checked.
      writeFully(file, ByteBuffer.allocate(1), dataOffset + dataBytes - 1);
      writeFully(file, header, 0);
      Part.open(temporary, name).close();
      for (int i = 0; i < offsets.length; i++) {
        writeTensor(flusher, tensors.get(i), dataOffset + offsets[i]);
      }
      flusher.await();
      file.force(true);
    }
  }

  private ByteBuffer header(Map<String, MetadataValue> pairs, List<Entry> tensors, long[] offsets) {
    HeaderWriter out = new HeaderWriter();
    out.int32(Format.MAGIC);
    out.int32(version);
    out.int64(tensors.size());
    out.int64(pairs.size());
    pairs.forEach(out::pair);
    for (int i = 0; i < offsets.length; i++) {
      Entry tensor = tensors.get(i);
      out.tensor(tensor.name(), tensor.shape(), tensor.type().id(), offsets[i]);
    }
    return out.bytes();
  }

  /** Has the disk work while rows are made, not after the last one only. */
  private static final class Flusher implements AutoCloseable {
    private static final long EVERY_BYTES = 1L << 26;

    private final FileChannel file;
    private final ExecutorService thread =
        Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("flush-gguf").factory());
    private Future<?> running = CompletableFuture.completedFuture(null);
    private long unflushedBytes;

    Flusher(FileChannel file) {
      this.file = file;
    }

    void write(ByteBuffer bytes, long position) throws IOException {
      unflushedBytes += bytes.remaining();
      writeFully(file, bytes, position);
      if (unflushedBytes >= EVERY_BYTES && running.isDone()) {
        await();
        unflushedBytes = 0;
        running =
            thread.submit(
                () -> {
                  file.force(false);
                  return null;
                });
      }
    }

    /** A failure to flush is told once only, and not to who asks later: it ends the work here. */
    void await() throws IOException {
      try {
        running.get();
      } catch (ExecutionException e) {
        throw e.getCause() instanceof IOException failure ? failure : new IOException(e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }

    @Override
    public void close() {
      thread.close();
    }
  }

  private static void writeTensor(Flusher file, Entry tensor, long position) throws IOException {
    long rowBytes = tensor.type().bytes(tensor.shape().ne0());
    long rows = tensor.shape().rows();
    long chunkRows = Math.clamp(CHUNK_BYTES / rowBytes, 1, rows);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment chunk = arena.allocate(chunkRows * rowBytes, CHUNK_ALIGNMENT);
      for (long row = 0; row < rows; row += chunkRows) {
        MemorySegment filled = chunk.asSlice(0, Math.min(chunkRows, rows - row) * rowBytes);
        tensor.source().fill(row, filled);
        file.write(filled.asByteBuffer(), position + row * rowBytes);
      }
    }
  }

  private static void writeFully(FileChannel file, ByteBuffer bytes, long position)
      throws IOException {
    long end = position + bytes.remaining();
    while (bytes.hasRemaining()) {
      file.write(bytes, end - bytes.remaining());
    }
  }
}
