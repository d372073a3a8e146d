package dev.ridgeline.scheduler;

import dev.ridgeline.gguf.GgufWriter;
import dev.ridgeline.gguf.Metadata;
import dev.ridgeline.gguf.MetadataType;
import dev.ridgeline.gguf.MetadataValue;
import dev.ridgeline.model.Model;
import dev.ridgeline.model.TensorRequest;
import dev.ridgeline.tensor.DType;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** Writes a model file of two layers with random weights over {@link Letters}. */
public final class TinyFile {
  static final int CONTEXT = 256;

  private TinyFile() {}

  static Map<String, MetadataValue> metadata() {
    var all = new LinkedHashMap<String, MetadataValue>();
    all.put("general.architecture", new MetadataValue.Text("llama"));
    all.put("general.name", new MetadataValue.Text("tiny"));
    count(all, "llama.block_count", 2);
    count(all, "llama.context_length", CONTEXT);
    count(all, "llama.embedding_length", 64);
    count(all, "llama.feed_forward_length", 96);
    count(all, "llama.attention.head_count", 2);
    count(all, "llama.attention.head_count_kv", 1);
    all.put(
        "llama.attention.layer_norm_rms_epsilon",
        new MetadataValue.Real(MetadataType.FLOAT32, 1e-5));
    all.put(
        "tokenizer.chat_template",
        new MetadataValue.Text(
            "{{ bos_token }}{% for m in messages %}{{ m.role }}x{{ m.content }}{% endfor %}"));
    all.putAll(Letters.metadata());
    return all;
  }

  private static void count(Map<String, MetadataValue> into, String key, int value) {
    into.put(key, new MetadataValue.Int(MetadataType.UINT32, value));
  }

  static Path write(Path folder, Map<String, MetadataValue> metadata) throws IOException {
    var writer = new GgufWriter(metadata);
    var random = new Random(1);
    for (TensorRequest request :
        Model.tensors(new Metadata("tiny", metadata), Letters.SIZE, _ -> false)) {
      writer.tensor(
          request.name(),
          DType.F32,
          request.shape(),
          (_, rows) -> {
            for (long at = 0; at < rows.byteSize(); at += 4) {
              float noise = (float) random.nextGaussian() / 4;
              rows.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, request.vector() ? 1 + noise : noise);
            }
          });
    }
    Path path = folder.resolve("tiny.gguf");
    writer.write(path);
    return path;
  }

  /** Into {@code folder}. */
  public static Path write(Path folder) throws IOException {
    return write(folder, metadata());
  }
}
