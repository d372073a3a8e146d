package dev.ridgeline.tokenizer;

import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.gguf.Metadata;
import dev.ridgeline.gguf.MetadataType;
import dev.ridgeline.gguf.MetadataValue;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Metadata for tests: the vocabularies that {@code dev/golden-tokenizers} makes, and small ones.
 */
final class Vocabularies {
  static final String BYTE_LEVEL = "byte-level";
  static final String SENTENCE_PIECE = "sentencepiece";
  static final String WORD_PIECE = "wordpiece";
  static final String UNIGRAM = "unigram";

  private Vocabularies() {}

  /**
   * A made vocabulary with other values.
   *
   * @param overrides keys (without {@code tokenizer.ggml.}) and values in turn; {@link #NOTHING}
   *     removes a key
   */
  static Metadata fixture(String name, Object... overrides) {
    try (GgufFile file = GgufFile.open(resource(name + ".gguf"))) {
      Map<String, MetadataValue> values = new LinkedHashMap<>(file.metadata().values());
      put(values, overrides);
      return new Metadata(name + ".gguf", values);
    }
  }

  static Path resource(String name) {
    try {
      return Path.of(Objects.requireNonNull(Vocabularies.class.getResource(name)).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A SentencePiece vocabulary: three special tokens, all bytes, and {@code pieces}. */
  static Metadata sentencePiece(String... pieces) {
    String[] tokens = new String[259 + pieces.length];
    int[] types = new int[tokens.length];
    float[] scores = new float[tokens.length];
    System.arraycopy(new String[] {"<unk>", "<s>", "</s>"}, 0, tokens, 0, 3);
    System.arraycopy(new int[] {2, 3, 3}, 0, types, 0, 3);
    for (int i = 3; i < tokens.length; i++) {
      tokens[i] = i < 259 ? "<0x%02X>".formatted(i - 3) : pieces[i - 259];
      types[i] = i < 259 ? 6 : 1;
      scores[i] = -i;
    }
    return of("model", "llama", "tokens", List.of(tokens), "token_type", types, "scores", scores);
  }

  /**
   * A byte-level vocabulary without merges.
   *
   * @param added control tokens, from id 256 on
   */
  static Metadata bytes(String... added) {
    String[] tokens = new String[256 + added.length];
    int[] types = new int[tokens.length];
    int substitute = 256;
    for (int b = 0; b < 256; b++) {
      boolean prints = (b > 32 && b < 127) || (b > 160 && b != 173);
      tokens[b] = Character.toString(prints ? b : substitute++);
      types[b] = 1;
    }
    for (int i = 0; i < added.length; i++) {
      tokens[256 + i] = added[i];
      types[256 + i] = 3;
    }
    return of(
        "model",
        "gpt2",
        "pre",
        "gpt-2",
        "tokens",
        List.of(tokens),
        "token_type",
        types,
        "merges",
        List.of());
  }

  /** Keys (without {@code tokenizer.ggml.}) and values in turn. */
  static Metadata of(Object... pairs) {
    Map<String, MetadataValue> values = new LinkedHashMap<>();
    put(values, pairs);
    return new Metadata("made.gguf", values);
  }

  /** {@code metadata} with other values. */
  static Metadata with(Metadata metadata, Object... overrides) {
    Map<String, MetadataValue> values = new LinkedHashMap<>(metadata.values());
    put(values, overrides);
    return new Metadata(metadata.file(), values);
  }

  private static void put(Map<String, MetadataValue> values, Object... pairs) {
    for (int i = 0; i < pairs.length; i += 2) {
      String key = (String) pairs[i];
      key = key.startsWith("general.") ? key : "tokenizer.ggml." + key;
      if (pairs[i + 1] == NOTHING) {
        values.remove(key);
      } else {
        values.put(key, value(pairs[i + 1]));
      }
    }
  }

  /** The value that removes a key. */
  static final Object NOTHING = new Object();

  private static MetadataValue value(Object value) {
    return switch (value) {
      case String text -> new MetadataValue.Text(text);
      case Boolean flag -> new MetadataValue.Bool(flag);
      case Integer number -> new MetadataValue.Int(MetadataType.INT32, number);
      case Long number -> new MetadataValue.Int(MetadataType.UINT32, number);
      case int[] ints -> {
        long[] longs = new long[ints.length];
        for (int i = 0; i < ints.length; i++) {
          longs[i] = ints[i];
        }
        yield new MetadataValue.Ints(MetadataType.INT32, longs);
      }
      case float[] floats -> {
        double[] doubles = new double[floats.length];
        for (int i = 0; i < floats.length; i++) {
          doubles[i] = floats[i];
        }
        yield new MetadataValue.Reals(MetadataType.FLOAT32, doubles);
      }
      case List<?> texts ->
          new MetadataValue.Texts(texts.stream().map(String.class::cast).toList());
      default -> throw new IllegalArgumentException(value.getClass().toString());
    };
  }
}
