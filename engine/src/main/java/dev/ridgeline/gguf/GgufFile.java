package dev.ridgeline.gguf;

import static dev.ridgeline.gguf.GgufException.quote;

import dev.ridgeline.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An open model file, or all parts of a split one: its metadata, and its tensors as views of the
 * mapped file. Opening reads the header alone, whatever the size of the rest; tensor data is read
 * by whoever touches it.
 *
 * <p>Threads may share one. Tensors are valid until {@link #close()}; reading one afterwards throws
 * {@link IllegalStateException}, and closing while another thread reads does so in either of the
 * two. The metadata stays valid.
 *
 * <p><b>A file that changes while open.</b> The header was copied, so metadata, names, shapes and
 * positions stay as checked. Replacing the file by renaming another over it is harmless, since the
 * mapping keeps the old one. Tensor data is the file's own: bytes overwritten in place are seen as
 * they are then, which nothing here can notice. Where the file is truncated, the pages behind its
 * new end are gone, and the rest of the page that it ends in reads as zeros. {@link #reading}
 * refuses to start on a truncated file, and to end well on one that was truncated meanwhile, so
 * that whatever was read within it was there. Where the system grants a lease (Linux, a local file
 * of one's own that nobody writes), writers wait while {@link #reading} is at work. Elsewhere a
 * truncation in the very moment of a read gives Java code an {@link InternalError}, which {@link
 * #reading} turns into the same refusal; native code, and on JDK 25 a compiled method whose only
 * accesses to memory segments are Vector API loads, ends the process with SIGBUS. Files in use are
 * therefore to be replaced, never overwritten.
 */
public final class GgufFile implements AutoCloseable {
  private static final long WARM_BYTES = 1 << 26;

  /** What Linux maps and reads at least around a page that is touched (fault-around). */
  private static final long FAULT_BYTES = 1 << 16;

  private final Path path;
  private final List<Part> parts;
  private final Arena arena = Arena.ofShared();
  private final Map<String, Tensor> tensors;

  /** What was read for the sake of reading, so that no compiler leaves it out. */
  @SuppressWarnings("unused")
  private volatile int touched;

  private GgufFile(Path path, List<Part> parts) {
    this.path = path;
    this.parts = parts;
    try {
      this.tensors = Collections.unmodifiableMap(mapTensors());
    } catch (GgufException e) {
      arena.close();
      throw e;
    }
  }

  /**
   * Opens {@code path}; where it is a part of a split model, all parts, which must stand in the
   * same folder.
   *
   * @throws GgufException if it cannot be read or is not a well-formed file of version 2 or 3
   */
  public static GgufFile open(Path path) {
    List<Part> parts = new ArrayList<>();
    try {
      Part part = Part.open(path, path.toString());
      parts.add(part);
      if (part.splitCount() > 1) {
        openSiblings(part, parts);
        parts.sort(Comparator.comparingInt(Part::splitNo));
        checkTensorCount(parts);
      }
      return new GgufFile(path, List.copyOf(parts));
    } catch (GgufException e) {
      parts.forEach(Part::close);
      throw e;
    }
  }

  private static void openSiblings(Part part, List<Part> parts) {
    int count = part.splitCount();
    SplitName name =
        SplitName.of(part.path())
            .filter(n -> n.count() == count)
            .orElseThrow(
                () ->
                    part.fail(
                        Format.SPLIT_COUNT_KEY,
                        "%s is %d; expected the file's name to end in -0000K-of-%05d.gguf"
                            .formatted(Format.SPLIT_COUNT_KEY, count, count)));
    part.checkSplit(name.number(), count);
    for (int number = 1; number <= count; number++) {
      if (number != name.number()) {
        Path path = part.path().resolveSibling(name.fileName(number));
        Part sibling = Part.open(path, path.toString());
        parts.add(sibling);
        sibling.checkSplit(number, count);
      }
    }
  }

  private static void checkTensorCount(List<Part> parts) {
    int total = parts.stream().mapToInt(part -> part.header().tensors().size()).sum();
    for (Part part : parts) {
      Metadata metadata = part.header().metadata();
      long claimed = metadata.integer(Format.SPLIT_TENSORS_KEY, total);
      if (claimed != total) {
        throw part.fail(
            Format.SPLIT_TENSORS_KEY,
            "%s is %d, but the %d parts hold %d tensors"
                .formatted(Format.SPLIT_TENSORS_KEY, claimed, parts.size(), total));
      }
    }
  }

  private Map<String, Tensor> mapTensors() {
    Map<String, Tensor> all = new LinkedHashMap<>();
    for (Part part : parts) {
      MemorySegment data = part.map(arena);
      for (Header.TensorInfo info : part.header().tensors()) {
        MemorySegment bytes = data.asSlice(info.offset(), info.bytes());
        Tensor tensor = new Tensor(info.name(), info.type(), info.shape(), bytes);
        if (all.put(info.name(), tensor) != null) {
          throw part.fail("tensor %s is in an earlier part too".formatted(quote(info.name())));
        }
      }
    }
    return all;
  }

  /** The path that was opened. */
  public Path path() {
    return path;
  }

  /** The model's files in order: one, or the parts of a split model. */
  public List<Path> parts() {
    return parts.stream().map(Part::path).toList();
  }

  /** The format's version, 2 or 3; the first part's. */
  public int version() {
    return parts.getFirst().header().version();
  }

  /** Size of all parts together. */
  public long byteSize() {
    return parts.stream().mapToLong(Part::bytes).sum();
  }

  /** The metadata; of a split model the first part's, with its {@code split.*} keys. */
  public Metadata metadata() {
    return parts.getFirst().header().metadata();
  }

  /** All tensors by name, in the order of the parts and, within one, of its header. */
  public Map<String, Tensor> tensors() {
    return tensors;
  }

  /**
   * The tensor named {@code name}.
   *
   * @throws IllegalArgumentException if there is none
   */
  public Tensor tensor(String name) {
    @Nullable Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalArgumentException(
          "%s: there is no tensor %s among its %d".formatted(path, quote(name), tensors.size()));
    }
    return tensor;
  }

  /**
   * Asks the operating system whether the files are as long as when they were opened: a microsecond
   * for each part.
   *
   * @throws GgufException if one became shorter
   */
  public void checkNotTruncated() {
    parts.forEach(Part::checkNotTruncated);
  }

  /**
   * Does {@code work}, which reads tensor data, and makes sure that the data was there: makes
   * writers wait where the system allows it, and does {@link #checkNotTruncated()} before the work
   * and, whether it succeeds or fails, after it. Takes about 5 us for each part.
   *
   * @throws GgufException if a file was truncated, or another program began to write it and has
   *     held it open for a second; what {@code work} threw is then suppressed in it
   */
  public <T extends @Nullable Object> T reading(Supplier<T> work) {
    int held = 0;
    try {
      while (held < parts.size()) {
        parts.get(held++).hold();
      }
      return checked(work);
    } finally {
      while (held > 0) {
        parts.get(--held).letGo();
      }
    }
  }

  private <T extends @Nullable Object> T checked(Supplier<T> work) {
    checkNotTruncated();
    T result;
    try {
      result = work.get();
    } catch (RuntimeException | InternalError failure) {
      try {
        checkNotTruncated();
      } catch (GgufException truncated) {
        truncated.addSuppressed(failure);
        throw truncated;
      }
      throw failure;
    }
    checkNotTruncated();
    return result;
  }

  /** Hears how far {@link #warm} has come. */
  @FunctionalInterface
  public interface Progress {
    /** Called after every 64 MiB or so, and at the end. */
    void read(long bytes, long ofBytes);
  }

  /**
   * Reads a byte of every 64 KiB of all tensors, in the order of the file. Afterwards their data is
   * in memory, as far as memory goes: work on several threads at several places of a file that is
   * not would read it from the disk in disorder. Takes 80 ms for each GB that is in memory already,
   * by which the first step is shorter.
   */
  public void warm(Progress progress) {
    long total = tensors.values().stream().mapToLong(t -> t.data().byteSize()).sum();
    long done = 0;
    int bits = 0;
    for (Tensor tensor : tensors.values()) {
      MemorySegment data = tensor.data();
      for (long from = 0; from < data.byteSize(); from += WARM_BYTES) {
        long to = Math.min(data.byteSize(), from + WARM_BYTES);
        bits |= touch(data, from, to);
        done += to - from;
        progress.read(done, total);
      }
    }
    touched = bits;
  }

  private static int touch(MemorySegment data, long from, long to) {
    int bits = 0;
    for (long at = from; at < to; at += FAULT_BYTES) {
      bits |= data.get(ValueLayout.JAVA_BYTE, at);
    }
    return bits;
  }

  /** Unmaps the tensors and closes the files; calling it again does nothing. */
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
      parts.forEach(Part::close);
    }
  }
}
