package dev.ridgeline.tokenizer;

import dev.ridgeline.gguf.Metadata;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Text to token ids and back, with the vocabulary and the rules that a GGUF file carries. Immutable
 * and safe for use by many threads.
 *
 * <p>Encoding never fails: unpaired surrogates count as U+FFFD, and text that the vocabulary cannot
 * spell becomes its byte tokens, else its unknown token, else nothing.
 */
public final class Tokenizer {
  /** Which tokens {@link #encode} adds around the text. */
  public enum Bos {
    /** What the model expects: BOS, EOS or both, or none. */
    AUTO,
    /** BOS first if the model has one, and nothing at the end. */
    YES,
    /** None: the text is a continuation, or a chat template has written BOS already. */
    NO
  }

  private final TokenizerModel model;
  private final Vocabulary vocabulary;
  private final SpecialTokens special;
  private final SpecialMatcher matcher;
  private final TextEncoder encoder;
  private final boolean addBos;
  private final boolean addEos;
  private final boolean addSpacePrefix;
  private final List<String> warnings;

  private Tokenizer(Metadata metadata) {
    model = TokenizerModel.of(metadata);
    vocabulary = new Vocabulary(metadata, model == TokenizerModel.GPT2);
    special = SpecialTokens.of(metadata, vocabulary, model);
    matcher = new SpecialMatcher(metadata, vocabulary);
    addSpacePrefix = metadata.bool("tokenizer.ggml.add_space_prefix", model.addSpacePrefix());
    int unknown = special.unknown();
    encoder =
        switch (model) {
          case LLAMA -> new SentencePieceEncoder(vocabulary, unknown, addSpacePrefix);
          case GPT2 -> new BpeEncoder(metadata, vocabulary);
          case BERT -> new WordPieceEncoder(metadata, vocabulary, unknown);
          case T5 -> new UnigramEncoder(metadata, vocabulary, unknown, addSpacePrefix);
        };
    boolean addBosByDefault = encoder instanceof BpeEncoder bpe ? bpe.addBos() : model.addBos();
    addBos = flag(metadata, "tokenizer.ggml.add_bos_token", addBosByDefault, special.bos());
    addEos = flag(metadata, "tokenizer.ggml.add_eos_token", model.addEos(), special.eos());
    warnings = List.copyOf(warnings(metadata));
  }

  /**
   * The tokenizer of a file.
   *
   * @throws dev.ridgeline.gguf.GgufException in one line, if the file has none, an unknown one or a
   *     malformed one
   */
  public static Tokenizer of(Metadata metadata) {
    return new Tokenizer(metadata);
  }

  private List<String> warnings(Metadata metadata) {
    List<String> result = new ArrayList<>();
    if (model == TokenizerModel.GPT2 && !metadata.has(PreTokenizer.KEY)) {
      result.add("metadata key '" + PreTokenizer.KEY + "' is missing; read as 'default'");
    }
    if (vocabulary.duplicates() > 0) {
      result.add(vocabulary.duplicates() + " tokens repeat another; text becomes the lower id");
    }
    long lost =
        IntStream.range(0, 256).filter(b -> vocabulary.byteId((byte) b) == Vocabulary.NONE).count();
    if (lost > 0 && model == TokenizerModel.GPT2) {
      result.add(lost + " of 256 bytes have no token; text that holds them loses them");
    }
    return result;
  }

  /** A flag that is only of use with the token that it adds; {@code bert} has no choice. */
  private boolean flag(Metadata metadata, String key, boolean otherwise, int id) {
    boolean value = model == TokenizerModel.BERT ? otherwise : metadata.bool(key, otherwise);
    if (value && id == Vocabulary.NONE && metadata.has(key)) {
      throw vocabulary.refuse(key, "is true, but the file names no such token");
    }
    return value && id != Vocabulary.NONE;
  }

  /**
   * The ids of {@code text}.
   *
   * @param parseSpecial whether the text of a control token, such as {@code <|im_end|>}, becomes
   *     that token: yes for what a chat template wrote, no for what a user did
   */
  public int[] encode(String text, Bos bos, boolean parseSpecial) {
    IntList ids = new IntList();
    boolean begin = bos == Bos.YES || (bos == Bos.AUTO && addBos);
    if (begin && special.bos() != Vocabulary.NONE) {
      ids.add(special.bos());
    }
    encode(wellFormed(text), parseSpecial, ids);
    if (bos == Bos.AUTO && addEos) {
      ids.add(special.eos());
    }
    return ids.from(0);
  }

  private void encode(String text, boolean parseSpecial, IntList ids) {
    boolean atStart = true;
    int from = 0;
    while (from < text.length()) {
      SpecialMatcher.Match match = matcher.find(text, from, parseSpecial);
      int to = match == null ? text.length() : match.from();
      if (to > from) {
        encoder.encode(text.substring(from, to), atStart, ids);
        atStart = false;
      }
      if (match == null) {
        return;
      }
      ids.add(match.id());
      atStart = true;
      from = match.to();
    }
  }

  /** The text with U+FFFD for each unpaired surrogate. */
  private static String wellFormed(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        StringBuilder result = new StringBuilder(text.length());
        text.codePoints()
            .map(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xFFFD : c)
            .forEach(result::appendCodePoint);
        return result.toString();
      }
    }
    return text;
  }

  /**
   * The text of {@code ids} from its beginning: without special tokens, and without the space that
   * encoding put before the first word. What byte-level BPE encoded comes back as it was.
   *
   * @throws IllegalArgumentException if an id is not in the vocabulary
   */
  public String decode(int... ids) {
    StreamDecoder decoder = decoder(true, true);
    StringBuilder text = new StringBuilder();
    for (int id : ids) {
      text.append(decoder.accept(id));
    }
    return text.append(decoder.finish()).toString();
  }

  /**
   * A decoder for ids that come one by one.
   *
   * @param atStart whether the first id begins the text; no for what continues a prompt, whose
   *     leading space belongs to it
   * @param skipSpecial whether control and unknown tokens are left out rather than written as their
   *     names; the channel marks of gpt-oss are always written, as they structure its answer
   */
  public StreamDecoder decoder(boolean atStart, boolean skipSpecial) {
    return new StreamDecoder(this, atStart, skipSpecial);
  }

  /** The bytes that {@code id} stands for, possibly a part of a character; a new array. */
  public byte[] bytes(int id) {
    TokenKind kind = kind(id);
    boolean escaped =
        model != TokenizerModel.GPT2 && (kind == TokenKind.NORMAL || kind == TokenKind.UNUSED);
    return escaped
        ? text(id).replace(SentencePieceEncoder.SPACE, ' ').getBytes(StandardCharsets.UTF_8)
        : vocabulary.spelling(id);
  }

  /** Whether the space before the first word is encoding's doing, not the text's. */
  boolean dropsFirstSpace() {
    return switch (model) {
      case LLAMA -> addSpacePrefix;
      case GPT2 -> false;
      case BERT, T5 -> true;
    };
  }

  /** Whether {@code id} is structure that is left out of a text. */
  public boolean isSkipped(int id) {
    TokenKind kind = kind(id);
    return (kind == TokenKind.CONTROL || kind == TokenKind.UNKNOWN) && !special.rendered().get(id);
  }

  /** What {@code id} stands for, with U+FFFD for a part of a character. */
  public String piece(int id) {
    return new String(bytes(id), StandardCharsets.UTF_8);
  }

  /** The token as the file writes it: spaces as U+2581, bytes as byte-level characters. */
  public String text(int id) {
    return vocabulary.text(require(id));
  }

  /** What kind of token {@code id} is. */
  public TokenKind kind(int id) {
    return vocabulary.kind(require(id));
  }

  private int require(int id) {
    if (id < 0 || id >= size()) {
      throw new IllegalArgumentException(
          "token id %d is not in the vocabulary; expected 0 to %d".formatted(id, size() - 1));
    }
    return id;
  }

  /** Tokens in the vocabulary. */
  public int size() {
    return vocabulary.size();
  }

  /** Begins a text. */
  public OptionalInt bos() {
    return optional(special.bos());
  }

  /** Ends a text. */
  public OptionalInt eos() {
    return optional(special.eos());
  }

  /** Ends a turn of a conversation. */
  public OptionalInt eot() {
    return optional(special.eot());
  }

  /** Stands for what the vocabulary cannot spell. */
  public OptionalInt unknown() {
    return optional(special.unknown());
  }

  private static OptionalInt optional(int id) {
    return id == Vocabulary.NONE ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /** Whether generation ends with {@code id}: the end of a text, of a turn or of a message. */
  public boolean isEnd(int id) {
    return special.ends().get(require(id));
  }

  /** The ids with which generation ends, ascending. */
  public int[] ends() {
    return special.ends().stream().toArray();
  }

  /** Whether the model expects BOS before a text. */
  public boolean addBos() {
    return addBos;
  }

  /** Whether the model expects EOS after a text. */
  public boolean addEos() {
    return addEos;
  }

  /** Whether a space is put before a text. */
  public boolean addSpacePrefix() {
    return addSpacePrefix;
  }

  /**
   * The rule by the name the file gives it: {@code llama}, {@code gpt2}, {@code bert} or {@code
   * t5}.
   */
  public String model() {
    return model.id;
  }

  /** What in the file was read otherwise than it stands, one line each; empty for most files. */
  public List<String> warnings() {
    return warnings;
  }

  @Override
  public String toString() {
    return model.id + " tokenizer of " + size() + " tokens";
  }
}
