package dev.ridgeline.model.synth;

import dev.ridgeline.gguf.GgufWriter;
import dev.ridgeline.gguf.Metadata;
import dev.ridgeline.gguf.MetadataType;
import dev.ridgeline.gguf.MetadataValue;
import dev.ridgeline.model.FileType;
import dev.ridgeline.model.Model;
import dev.ridgeline.model.TensorRequest;
import dev.ridgeline.tensor.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A model of a released shape with random weights: the names, shapes and formats of the tensors are
 * those of the released file, the values are noise of the size that keeps activations near 1. The
 * same shape, mix and seed give the same bytes on every machine.
 */
public final class Synth {
  private final Shape shape;
  private final FileType type;
  private final List<TensorRequest> requests;
  private final FileType.Traits traits;

  /**
   * @param shape one of {@link #shapes()}
   * @throws IllegalArgumentException if there is no such shape
   */
  public Synth(String shape, FileType type) {
    this.shape = Shape.named(shape);
    this.type = type;
    this.requests =
        Model.tensors(
            new Metadata(shape, metadata()), this.shape.vocabularySize(), this::hasOptional);
    this.traits =
        new FileType.Traits(
            integer("block_count"),
            integer("attention.head_count") / integer("attention.head_count_kv"),
            integer("expert_count"),
            isTied());
  }

  /** What {@link #Synth} knows. */
  public static List<String> shapes() {
    return Shape.names();
  }

  /** The file's metadata. */
  public Map<String, MetadataValue> metadata() {
    var all = new LinkedHashMap<String, MetadataValue>();
    all.put("general.architecture", new MetadataValue.Text(shape.architecture()));
    all.put("general.name", new MetadataValue.Text("synthetic " + shape.name() + " " + type));
    all.put("general.file_type", new MetadataValue.Int(MetadataType.UINT32, type.id()));
    all.put("general.quantization_version", new MetadataValue.Int(MetadataType.UINT32, 2));
    shape.keys().forEach((key, value) -> all.put(shape.architecture() + "." + key, value));
    all.putAll(SynthTokenizer.metadata(shape.tokenizer(), shape.vocabularySize()));
    return all;
  }

  /** The file's tensors. */
  public List<TensorRequest> tensors() {
    return requests;
  }

  /** The format of one of {@link #tensors()}. */
  public DType typeOf(TensorRequest tensor) {
    return tensor.vector() ? DType.F32 : type.typeOf(tensor.name(), tensor.shape(), traits);
  }

  /** Bytes of all tensors. */
  public long bytes() {
    return requests.stream().mapToLong(t -> typeOf(t).bytes(t.shape().elements())).sum();
  }

  /** Writes the file; 5 GB take about as long as the disk needs for them. */
  public void write(Path path, long seed) throws IOException {
    var writer = new GgufWriter(metadata());
    for (TensorRequest tensor : requests) {
      DType dtype = typeOf(tensor);
      long rowBytes = dtype.bytes(tensor.shape().ne0());
      writer.tensor(
          tensor.name(),
          dtype,
          tensor.shape(),
          (firstRow, rows) -> fill(tensor, dtype, seed, firstRow, rows, rowBytes));
    }
    writer.write(path);
  }

  private void fill(
      TensorRequest tensor,
      DType dtype,
      long seed,
      long firstRow,
      MemorySegment rows,
      long rowBytes) {
    var values = WeightValues.of(tensor, dtype, shape, isTied(), seed);
    // The writer's memory belongs to its thread; the rows are computed by all cores beside it.
    var buffer = MemorySegment.ofArray(new byte[(int) rows.byteSize()]);
    IntStream.range(0, (int) (rows.byteSize() / rowBytes))
        .parallel()
        .forEach(r -> values.fill(firstRow + r, buffer.asSlice(r * rowBytes, rowBytes)));
    rows.copyFrom(buffer);
  }

  private boolean isTied() {
    return shape.options().containsKey("tied");
  }

  private int integer(String key) {
    return shape.keys().get(key) instanceof MetadataValue.Int(MetadataType _, long value)
        ? (int) value
        : 0;
  }

  /** Which of the tensors that an architecture may have or not the released models have. */
  private boolean hasOptional(String name) {
    String arch = shape.architecture();
    return switch (name) {
      case "output.weight" -> !isTied();
      case "rope_freqs.weight" -> shape.options().containsKey("rope_freqs");
      case "rope_factors_long.weight", "rope_factors_short.weight" ->
          shape.options().containsKey("longrope");
      case "output.bias" -> false;
      default ->
          name.endsWith("attn_qkv.weight")
              ? arch.equals("phi3")
              : name.endsWith(".bias")
                  && (arch.equals("gpt-oss")
                      || (arch.equals("qwen2") && name.matches(".*attn_[qkv]\\.bias")));
    };
  }
}
