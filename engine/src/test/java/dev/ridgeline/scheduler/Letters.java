package dev.ridgeline.scheduler;

import dev.ridgeline.gguf.Metadata;
import dev.ridgeline.gguf.MetadataType;
import dev.ridgeline.gguf.MetadataValue;
import dev.ridgeline.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A vocabulary of letters, with the bytes of one character of several bytes. */
final class Letters {
  static final int BOS = 1;
  static final int EOS = 2;
  static final int A = 3;

  /** The first of the three bytes of a euro sign, which are tokens of their own. */
  static final int EURO = A + 26;

  static final int SIZE = EURO + 3;

  private static final List<String> EURO_BYTES = List.of("<0xE2>", "<0x82>", "<0xAC>");
  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int BYTE = 6;

  private Letters() {}

  static Map<String, MetadataValue> metadata() {
    var tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    var types = new long[SIZE];
    types[0] = UNKNOWN;
    types[BOS] = CONTROL;
    types[EOS] = CONTROL;
    for (int i = 0; i < 26; i++) {
      types[tokens.size()] = NORMAL;
      tokens.add(Character.toString('a' + i));
    }
    for (String b : EURO_BYTES) {
      types[tokens.size()] = BYTE;
      tokens.add(b);
    }
    return Map.of(
        "tokenizer.ggml.model", new MetadataValue.Text("llama"),
        "tokenizer.ggml.tokens", new MetadataValue.Texts(tokens),
        "tokenizer.ggml.token_type", new MetadataValue.Ints(MetadataType.INT32, types),
        "tokenizer.ggml.add_space_prefix", new MetadataValue.Bool(false),
        "tokenizer.ggml.bos_token_id", new MetadataValue.Int(MetadataType.UINT32, BOS),
        "tokenizer.ggml.eos_token_id", new MetadataValue.Int(MetadataType.UINT32, EOS));
  }

  static Tokenizer tokenizer() {
    return Tokenizer.of(new Metadata("letters", metadata()));
  }

  /** The ids of lower-case {@code text}. */
  static int[] ids(String text) {
    return text.chars().map(c -> c - 'a' + A).toArray();
  }
}
