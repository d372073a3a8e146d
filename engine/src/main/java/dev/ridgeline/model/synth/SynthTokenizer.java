package dev.ridgeline.model.synth;

import dev.ridgeline.gguf.MetadataType;
import dev.ridgeline.gguf.MetadataValue;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A vocabulary of any size that encodes every text: the 256 bytes, fillers that no text produces
 * often, and the control tokens.
 */
final class SynthTokenizer {
  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int BYTE = 6;

  /** How SentencePiece writes a space. */
  private static final String SPACE = "\u2581";

  private SynthTokenizer() {}

  /**
   * The keys {@code tokenizer.ggml.*}.
   *
   * @param kind {@code spm}, or the pre-tokenizer of a byte-level BPE
   */
  static Map<String, MetadataValue> metadata(String kind, int size) {
    return kind.equals("spm") ? sentencePiece(size) : byteLevel(kind, size);
  }

  private static Map<String, MetadataValue> sentencePiece(int size) {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    long[] types = new long[size];
    types[0] = UNKNOWN;
    types[1] = CONTROL;
    types[2] = CONTROL;
    for (int b = 0; b < 256; b++) {
      types[tokens.size()] = BYTE;
      tokens.add("<0x%02X>".formatted(b));
    }
    double[] scores = new double[size];
    types[tokens.size()] = NORMAL;
    tokens.add(SPACE);
    while (tokens.size() < size - 1) {
      int id = tokens.size();
      types[id] = NORMAL;
      scores[id] = -id;
      tokens.add((id % 2 == 0 ? "" : SPACE) + "w" + id);
    }
    // The reference engine expects this one of every model that is called phi3.
    types[size - 1] = CONTROL;
    tokens.add("<|endoftext|>");
    var keys = new LinkedHashMap<String, MetadataValue>();
    put(keys, "model", new MetadataValue.Text("llama"));
    put(keys, "tokens", new MetadataValue.Texts(tokens));
    put(keys, "scores", new MetadataValue.Reals(MetadataType.FLOAT32, scores));
    put(keys, "token_type", new MetadataValue.Ints(MetadataType.INT32, types));
    put(keys, "bos_token_id", new MetadataValue.Int(MetadataType.UINT32, 1));
    put(keys, "eos_token_id", new MetadataValue.Int(MetadataType.UINT32, 2));
    put(keys, "unknown_token_id", new MetadataValue.Int(MetadataType.UINT32, 0));
    return keys;
  }

  private static Map<String, MetadataValue> byteLevel(String preTokenizer, int size) {
    List<String> tokens = new ArrayList<>();
    // GPT-2 writes a byte that is no visible Latin-1 character as one of U+0100 and up.
    int next = 256;
    for (int b = 0; b < 256; b++) {
      boolean visible = (b >= 33 && b <= 126) || (b >= 161 && b != 173);
      tokens.add(Character.toString(visible ? b : next++));
    }
    tokens.add("th");
    while (tokens.size() < size - 2) {
      tokens.add("w" + tokens.size());
    }
    Collections.addAll(tokens, "<|begin_of_text|>", "<|end_of_text|>");
    long[] types = new long[size];
    Arrays.fill(types, NORMAL);
    types[size - 2] = CONTROL;
    types[size - 1] = CONTROL;
    var keys = new LinkedHashMap<String, MetadataValue>();
    put(keys, "model", new MetadataValue.Text("gpt2"));
    put(keys, "pre", new MetadataValue.Text(preTokenizer));
    put(keys, "tokens", new MetadataValue.Texts(tokens));
    put(keys, "token_type", new MetadataValue.Ints(MetadataType.INT32, types));
    put(keys, "merges", new MetadataValue.Texts(List.of("t h")));
    put(keys, "bos_token_id", new MetadataValue.Int(MetadataType.UINT32, size - 2));
    put(keys, "eos_token_id", new MetadataValue.Int(MetadataType.UINT32, size - 1));
    return keys;
  }

  private static void put(Map<String, MetadataValue> keys, String key, MetadataValue value) {
    keys.put("tokenizer.ggml." + key, value);
  }
}
