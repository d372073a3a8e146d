package dev.ridgeline.gguf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Well-formed files of a tiny model with one metadata value that makes no sense each, and what the
 * refusal says. Kept in the test resources like {@link HostileFiles}; {@link #main} writes them
 * anew after a change here.
 */
final class NonsenseFiles {
  private static final int WIDTH = 8;
  private static final String TYPES = "tokenizer.ggml.token_type";
  private static final int SLOT_BYTES = WIDTH * WIDTH * Float.BYTES;

  /**
   * A file and how it is refused.
   *
   * @param message what the refusal says, in part
   */
  record Nonsense(String name, byte[] bytes, String message) {
    @Override
    public String toString() {
      return name;
    }
  }

  private NonsenseFiles() {}

  /** Writes all of them to the folder {@code args[0]}. */
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[0]);
    Files.createDirectories(folder);
    Files.write(folder.resolve("sound.gguf"), sound());
    for (List<Nonsense> files : List.of(hyperparameters(), vocabularies(), oddities())) {
      for (Nonsense file : files) {
        Files.write(folder.resolve(file.name() + ".gguf"), file.bytes());
      }
    }
  }

  /** The model that the others distort. */
  static byte[] sound() {
    return bytes(soundMetadata());
  }

  /** What a model builder refuses. */
  static List<Nonsense> hyperparameters() {
    List<Nonsense> files = new ArrayList<>();
    for (String key :
        List.of(
            "block_count",
            "context_length",
            "embedding_length",
            "feed_forward_length",
            "attention.head_count",
            "attention.head_count_kv",
            "attention.layer_norm_rms_epsilon",
            "rope.dimension_count",
            "rope.freq_base")) {
      String name = key.replaceAll("[._]", "-");
      MetadataValue zero = key.endsWith("epsilon") ? float32(0) : uint32(0);
      files.add(with(name + "-0", "llama." + key, zero));
      files.add(with(name + "-negative", "llama." + key, int32(-1)));
      files.add(with(name + "-string", "llama." + key, text("1")));
    }
    files.add(with("block-count-10-9", "llama.block_count", uint32(1_000_000_000)));
    files.add(with("head-count-10-9", "llama.attention.head_count", uint32(1_000_000_000)));
    files.add(with("head-count-3-of-8", "llama.attention.head_count", uint32(3)));
    files.add(with("head-count-kv-3-of-2", "llama.attention.head_count_kv", uint32(3)));
    files.add(with("embedding-length-2-32", "llama.embedding_length", uint32(0xffff_ffffL)));
    files.add(with("rope-dimension-count-3", "llama.rope.dimension_count", uint32(3)));
    files.add(with("epsilon-nan", "llama.attention.layer_norm_rms_epsilon", float32(Double.NaN)));
    files.add(with("freq-base-infinite", "llama.rope.freq_base", float32(1e300)));
    files.add(with("expert-count-10-9", "llama.expert_count", uint32(1_000_000_000)));
    files.add(with("architecture-unknown", "general.architecture", text("x\ny"), "x\\u000ay"));
    return files;
  }

  /** What a tokenizer refuses. */
  static List<Nonsense> vocabularies() {
    String tokens = "tokenizer.ggml.tokens";
    return List.of(
        with("byte-token-minus-1", tokens, tokens("<unk>", "<s>", "</s>", "<0x-1>"), "<0x-1>"),
        with("byte-token-256", tokens, tokens("<unk>", "<s>", "</s>", "<0x100>"), "<0x100>"),
        with("byte-token-empty", tokens, tokens("<unk>", "<s>", "</s>", ""), tokens),
        with(
            "byte-token-twice",
            tokens("<unk>", "<s>", "<0x0A>", "<0x0A>"),
            int32s(2, 3, 6, 6),
            tokens),
        with("bos-twice", tokens("<unk>", "<s>", "<s>", "a"), int32s(2, 3, 3, 1), "'<s>'"),
        with("bos-empty", tokens("<unk>", "", "</s>", "a"), int32s(2, 3, 3, 1), "is empty"),
        with("tokens-none", tokens, tokens()),
        with("tokens-integers", tokens, int32s(0, 1, 2, 3)),
        with("tokens-one-string", tokens, text("abc")),
        with("token-types-too-few", TYPES, int32s(2, 3, 3)),
        with("token-types-unknown", TYPES, int32s(2, 3, 3, 99)),
        with("token-types-strings", TYPES, tokens("2", "3", "3", "6")),
        with("scores-too-many", "tokenizer.ggml.scores", floats(0, 0, 0, 0, 0)),
        with("scores-nan", "tokenizer.ggml.scores", floats(0, 0, 0, Double.NaN)),
        with("bos-outside", "tokenizer.ggml.bos_token_id", uint32(4)),
        with("eos-negative", "tokenizer.ggml.eos_token_id", int32(-7)),
        with("tokenizer-unknown", "tokenizer.ggml.model", text("nonsense")));
  }

  /** What released vocabularies do have, so a tokenizer accepts it. */
  static List<Nonsense> oddities() {
    MetadataValue types = int32s(2, 3, 3, 1);
    return List.of(
        with("token-twice", tokens("<unk>", "<s>", "</s>", "<s>"), types, ""),
        with("token-empty", tokens("<unk>", "<s>", "</s>", ""), types, ""));
  }

  private static Map<String, MetadataValue> soundMetadata() {
    Map<String, MetadataValue> metadata = new LinkedHashMap<>();
    metadata.put("general.architecture", text("llama"));
    metadata.put("llama.block_count", uint32(1));
    metadata.put("llama.context_length", uint32(16));
    metadata.put("llama.embedding_length", uint32(WIDTH));
    metadata.put("llama.feed_forward_length", uint32(WIDTH));
    metadata.put("llama.attention.head_count", uint32(2));
    metadata.put("llama.attention.head_count_kv", uint32(2));
    metadata.put("llama.attention.layer_norm_rms_epsilon", float32(1e-5));
    metadata.put("tokenizer.ggml.model", text("llama"));
    metadata.put("tokenizer.ggml.tokens", tokens("<unk>", "<s>", "</s>", "<0x0A>"));
    metadata.put(TYPES, int32s(2, 3, 3, 6));
    metadata.put("tokenizer.ggml.scores", floats(0, 0, 0, 0));
    metadata.put("tokenizer.ggml.bos_token_id", uint32(1));
    metadata.put("tokenizer.ggml.eos_token_id", uint32(2));
    return metadata;
  }

  private static Nonsense with(String name, String key, MetadataValue value) {
    return with(name, key, value, key);
  }

  private static Nonsense with(String name, String key, MetadataValue value, String message) {
    return with(name, Map.of(key, value), message);
  }

  private static Nonsense with(
      String name, MetadataValue tokens, MetadataValue types, String message) {
    return with(name, Map.of("tokenizer.ggml.tokens", tokens, TYPES, types), message);
  }

  private static Nonsense with(String name, Map<String, MetadataValue> changes, String message) {
    Map<String, MetadataValue> metadata = soundMetadata();
    metadata.putAll(changes);
    return new Nonsense(name, bytes(metadata), message);
  }

  private static byte[] bytes(Map<String, MetadataValue> metadata) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put("token_embd.weight", new long[] {WIDTH, 4});
    for (String norm : List.of("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm")) {
      shapes.put(norm + ".weight", new long[] {WIDTH});
    }
    for (String part :
        List.of("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")) {
      shapes.put("blk.0." + part + ".weight", new long[] {WIDTH, WIDTH});
    }
    RawGguf file = RawGguf.start(3, shapes.size(), metadata.size());
    metadata.forEach(file::pair);
    long offset = 0;
    for (Map.Entry<String, long[]> shape : shapes.entrySet()) {
      file.tensor(shape.getKey(), 0, offset, shape.getValue());
      offset += SLOT_BYTES;
    }
    return file.pad(Format.DEFAULT_ALIGNMENT).zeros((int) offset).toBytes();
  }

  private static MetadataValue uint32(long value) {
    return MetadataValue.uint32(value);
  }

  private static MetadataValue int32(long value) {
    return new MetadataValue.Int(MetadataType.INT32, value);
  }

  private static MetadataValue float32(double value) {
    return MetadataValue.float32(value);
  }

  private static MetadataValue text(String value) {
    return new MetadataValue.Text(value);
  }

  private static MetadataValue tokens(String... values) {
    return new MetadataValue.Texts(Arrays.asList(values));
  }

  private static MetadataValue int32s(long... values) {
    return new MetadataValue.Ints(MetadataType.INT32, values);
  }

  private static MetadataValue floats(double... values) {
    return new MetadataValue.Reals(MetadataType.FLOAT32, values);
  }
}
