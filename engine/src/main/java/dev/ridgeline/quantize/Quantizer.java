package dev.ridgeline.quantize;

import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.gguf.GgufWriter;
import dev.ridgeline.gguf.MetadataType;
import dev.ridgeline.gguf.MetadataValue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a model file with other weight formats. A tensor's rows are read from the mapped source a
 * few at a time, converted to float32, encoded by all threads and written in order, so that a model
 * of any size takes little memory.
 */
public final class Quantizer {
  private static final int QUANTIZATION_VERSION = 2;

  private Quantizer() {}

  /** Told how far the work is; called by the thread that called {@link #run}. */
  @FunctionalInterface
  public interface Progress {
    /**
     * Called as the work goes on.
     *
     * @param tensor which is being written
     * @param doneBytes of the source that were read
     * @param totalBytes of the source's tensors
     */
    void at(String tensor, long doneBytes, long totalBytes);
  }

  /**
   * What was written, or would be.
   *
   * @param tensors in the order of the file
   */
  public record Result(List<TensorPlan> tensors) {
    /** Takes a copy. */
    public Result {
      tensors = List.copyOf(tensors);
    }

    /** Elements of all tensors. */
    public long elements() {
      return tensors.stream().mapToLong(t -> t.shape().elements()).sum();
    }

    /** Bytes of all tensors in the source. */
    public long sourceBytes() {
      return tensors.stream().mapToLong(TensorPlan::sourceBytes).sum();
    }

    /** Bytes of all tensors in the result. */
    public long targetBytes() {
      return tensors.stream().mapToLong(TensorPlan::targetBytes).sum();
    }

    /** Bits of the result for each weight. */
    public double bitsPerWeight() {
      return 8.0 * targetBytes() / elements();
    }
  }

  /**
   * What {@link #run} would write.
   *
   * @throws IllegalArgumentException in one line, if the plan cannot be carried out on this file
   */
  public static Result dryRun(Path source, QuantizePlan plan) {
    try (GgufFile file = GgufFile.open(source)) {
      return new Result(Recipe.of(file, plan));
    }
  }

  /**
   * Quantizes {@code source} to {@code target}, which appears only when whole and replaces what had
   * its name. When this fails, and when the process is asked to end meanwhile, nothing is left.
   *
   * @throws IllegalArgumentException in one line, if the plan cannot be carried out on this file,
   *     if target and source are one file, or if a weight is not finite
   * @throws IOException if writing fails, such as on a full disk
   */
  public static Result run(Path source, Path target, QuantizePlan plan, Progress progress)
      throws IOException {
    try (GgufFile file = GgufFile.open(source)) {
      for (Path part : file.parts()) {
        if (Files.exists(target) && Files.isSameFile(part, target)) {
          throw new IllegalArgumentException(
              "%s: is the source and the result; give the result another name".formatted(target));
        }
      }
      List<TensorPlan> tensors = Recipe.of(file, plan);
      var result = new Result(tensors);
      checkRoom(target, result.targetBytes());
      try (var conversion = new Conversion(file, tensors, plan, progress)) {
        var writer = new GgufWriter(metadata(file, plan));
        for (TensorPlan tensor : tensors) {
          writer.tensor(tensor.name(), tensor.to(), tensor.shape(), conversion::fill);
        }
        write(file, writer, target);
      }
      return result;
    }
  }

  private static void write(GgufFile file, GgufWriter writer, Path target) throws IOException {
    IOException failure =
        file.<IOException>reading(
            () -> {
              try {
                writer.write(target);
                return null;
              } catch (IOException e) {
                return e;
              }
            });
    if (failure != null) {
      // The operating system's messages ("No space left on device") do not say where.
      throw new IOException(target + ": " + failure.getMessage(), failure);
    }
  }

  private static void checkRoom(Path target, long bytes) throws IOException {
    Path folder = target.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new NoSuchFileException(String.valueOf(folder), null, "no such folder");
    }
    long room = Files.getFileStore(folder).getUsableSpace();
    if (room < bytes) {
      throw new IOException(
          "%s: needs %d MB, and %s has room for %d MB; free some or choose another folder"
              .formatted(target, bytes / 1_000_000 + 1, folder, room / 1_000_000));
    }
  }

  private static Map<String, MetadataValue> metadata(GgufFile file, QuantizePlan plan) {
    var all = new LinkedHashMap<>(file.metadata().values());
    all.put("general.file_type", MetadataValue.uint32(plan.type().id()));
    all.put("general.quantization_version", MetadataValue.uint32(QUANTIZATION_VERSION));
    plan.importance()
        .ifPresent(
            i -> {
              all.put(
                  "quantize.imatrix.dataset",
                  new MetadataValue.Text(String.join(", ", i.datasets())));
              all.put(
                  "quantize.imatrix.entries_count",
                  new MetadataValue.Int(MetadataType.UINT32, i.entries().size()));
              all.put(
                  "quantize.imatrix.chunks_count",
                  new MetadataValue.Int(MetadataType.UINT32, i.chunks()));
            });
    return all;
  }
}
