package dev.ridgeline.tokenizer;

import dev.ridgeline.gguf.Metadata;
import java.util.Arrays;
import java.util.stream.Collectors;

/** The values of {@code tokenizer.ggml.model}, and what holds for each where a file is silent. */
enum TokenizerModel {
  /** SentencePiece BPE. */
  LLAMA("llama", 1, 2, 0),
  /**
   * Byte-level BPE. A file that names no BOS or EOS has none: the reference engine then takes token
   * 11, Falcon's, which is a comma in most vocabularies.
   */
  GPT2("gpt2", -1, -1, -1),
  /** WordPiece; what ends a text is called its separator. */
  BERT("bert", 101, 102, 100),
  /** Unigram. */
  T5("t5", -1, 1, 2);

  private static final String KEY = "tokenizer.ggml.model";

  /** The model's name in the file. */
  final String id;

  final int bos;
  final int eos;
  final int unknown;

  TokenizerModel(String id, int bos, int eos, int unknown) {
    this.id = id;
    this.bos = bos;
    this.eos = eos;
    this.unknown = unknown;
  }

  /** The model that the file names; refuses any other by name. */
  static TokenizerModel of(Metadata metadata) {
    String id = metadata.string(KEY);
    for (TokenizerModel model : values()) {
      if (model.id.equals(id)) {
        return model;
      }
    }
    String supported =
        Arrays.stream(values()).map(model -> model.id).collect(Collectors.joining(", "));
    throw metadata.origin().refuse(KEY, "is '%s'; supported: %s".formatted(id, supported));
  }

  boolean addBos() {
    return this == LLAMA || this == BERT;
  }

  boolean addEos() {
    return this == BERT || this == T5;
  }

  boolean addSpacePrefix() {
    return this == LLAMA;
  }
}
