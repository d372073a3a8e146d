package dev.ridgeline.quantize;

import dev.ridgeline.gguf.GgufException;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.gguf.GgufWriter;
import dev.ridgeline.gguf.MetadataValue;
import dev.ridgeline.quant.Quantization;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Importance matrices on disk, as llama.cpp's tools exchange them.
 *
 * <p>The GGUF form: {@code general.type} is {@code imatrix}; for each weight the tensors {@code
 * NAME.in_sum2} (F32, {@code [columns, matrices]}) and {@code NAME.counts} (F32, {@code [1,
 * matrices]}); {@code imatrix.datasets}, {@code imatrix.chunk_count}, {@code imatrix.chunk_size}.
 *
 * <p>The older form, little-endian: the number of entries (i32); for each the length of its name
 * (i32), the name, calls (i32), the number of values (i32), the values (f32: mean squares times
 * calls); then, in newer ones, the chunks (i32) and the length and name of the data set.
 */
public final class ImportanceFile {
  private static final String SUMS = ".in_sum2";
  private static final String COUNTS = ".counts";
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int MAX_NAME = 1 << 10;

  private ImportanceFile() {}

  /**
   * Reads either form.
   *
   * @throws GgufException in one line, if it is neither
   */
  public static Importance read(Path path) throws IOException {
    byte[] magic = new byte[4];
    try (var in = Files.newInputStream(path)) {
      if (in.readNBytes(magic, 0, 4) == 4
          && new String(magic, StandardCharsets.US_ASCII).equals("GGUF")) {
        return readGguf(path);
      }
    }
    return readLegacy(path);
  }

  private static Importance readGguf(Path path) {
    try (GgufFile file = GgufFile.open(path)) {
      var entries = new LinkedHashMap<String, Importance.Entry>();
      for (Tensor sums : file.tensors().values()) {
        if (sums.name().endsWith(SUMS)) {
          String name = sums.name().substring(0, sums.name().length() - SUMS.length());
          entries.put(name, entry(path, name, sums, file.tensors().get(name + COUNTS)));
        }
      }
      if (entries.isEmpty()) {
        throw new GgufException(
            path.toString(), "not an importance matrix: no tensor's name ends in '" + SUMS + "'");
      }
      return new Importance(
          entries,
          file.metadata().integerWithin("imatrix.chunk_count", 0, Integer.MAX_VALUE, 0),
          file.metadata().integerWithin("imatrix.chunk_size", 0, Integer.MAX_VALUE, 0),
          file.metadata().has("imatrix.datasets")
              ? file.metadata().strings("imatrix.datasets")
              : List.of());
    }
  }

  private static Importance.Entry entry(
      Path path, String name, Tensor sums, @org.jspecify.annotations.Nullable Tensor counts) {
    if (counts == null || sums.type() != DType.F32 || counts.type() != DType.F32) {
      throw new GgufException(
          path.toString(), "'%s' lacks F32 tensors of sums and counts".formatted(name));
    }
    return entry(path, name, floats(sums), floats(counts));
  }

  private static Importance.Entry entry(Path path, String name, float[] sums, float[] counts) {
    try {
      return new Importance.Entry(sums, counts);
    } catch (IllegalArgumentException e) {
      throw new GgufException(path.toString(), "'%s': %s".formatted(name, e.getMessage()));
    }
  }

  private static float[] floats(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.shape().elements())];
    Quantization.of(DType.F32).decode(tensor.data(), 0, values, 0, values.length);
    return values;
  }

  private static Importance readLegacy(Path path) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    try {
      var entries = new LinkedHashMap<String, Importance.Entry>();
      int count = length(path, in, Integer.MAX_VALUE);
      for (int i = 0; i < count; i++) {
        byte[] name = new byte[length(path, in, MAX_NAME)];
        in.get(name);
        int calls = in.getInt();
        float[] values = new float[length(path, in, in.remaining() / Float.BYTES)];
        in.asFloatBuffer().get(values);
        in.position(in.position() + Float.BYTES * values.length);
        String tensor = new String(name, StandardCharsets.UTF_8);
        entries.put(tensor, entry(path, tensor, values, new float[] {calls}));
      }
      if (!in.hasRemaining()) {
        return new Importance(entries, 0, 0, List.of());
      }
      int chunks = in.getInt();
      byte[] dataset = new byte[length(path, in, in.remaining())];
      in.get(dataset);
      String name = new String(dataset, StandardCharsets.UTF_8);
      return new Importance(entries, Math.max(0, chunks), 0, List.of(name));
    } catch (BufferUnderflowException e) {
      throw new GgufException(
          path.toString(),
          "ends within an entry; expected an importance matrix (GGUF, or llama.cpp's older form)");
    }
  }

  private static int length(Path path, ByteBuffer in, int most) {
    int at = in.position();
    int length = in.getInt();
    if (length < 1 || length > most) {
      throw new GgufException(
          path.toString(),
          "byte %d: length %d; expected an importance matrix (GGUF, or llama.cpp's older form)"
              .formatted(at, length));
    }
    return length;
  }

  /** Writes the GGUF form; the file appears only when whole. */
  public static void write(Importance importance, Path path) throws IOException {
    Map<String, MetadataValue> metadata = new LinkedHashMap<>();
    metadata.put("general.type", new MetadataValue.Text("imatrix"));
    metadata.put("imatrix.datasets", new MetadataValue.Texts(importance.datasets()));
    metadata.put("imatrix.chunk_count", MetadataValue.uint32(importance.chunks()));
    metadata.put("imatrix.chunk_size", MetadataValue.uint32(importance.chunkTokens()));
    var writer = new GgufWriter(metadata);
    importance
        .entries()
        .forEach(
            (name, entry) -> {
              int matrices = entry.counts().length;
              int columns = entry.sumOfSquares().length / matrices;
              add(writer, name + SUMS, Shape.of(columns, matrices), entry.sumOfSquares());
              add(writer, name + COUNTS, Shape.of(1, matrices), entry.counts());
            });
    writer.write(path);
  }

  private static void add(GgufWriter writer, String name, Shape shape, float[] values) {
    writer.tensor(
        name,
        DType.F32,
        shape,
        (firstRow, rows) ->
            MemorySegment.copy(
                values,
                (int) (firstRow * shape.ne0()),
                rows,
                FLOAT,
                0,
                (int) (rows.byteSize() / Float.BYTES)));
  }
}
