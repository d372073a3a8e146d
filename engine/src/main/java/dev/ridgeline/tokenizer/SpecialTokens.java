package dev.ridgeline.tokenizer;

import dev.ridgeline.gguf.Metadata;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The tokens with a role, by id ({@link Vocabulary#NONE} where there is none), and those that end a
 * generation: the end of text, of a turn and of a message, what the file calls so and what is known
 * by its text, as the reference engine tells them.
 *
 * <p>An id outside the vocabulary is refused, and one whose token has no text or that of another
 * special token; 2^32 - 1, which is -1 in the file's type, means none.
 *
 * @param bos begins a text
 * @param eos ends a text; for the {@code bert} model its separator
 * @param eot ends a turn of a conversation
 * @param unknown stands for what the vocabulary cannot spell
 * @param ends the tokens that end a generation
 * @param rendered control tokens that belong to the answer's text: the channel marks of gpt-oss
 */
record SpecialTokens(int bos, int eos, int eot, int unknown, BitSet ends, BitSet rendered) {
  private static final String BOS = "tokenizer.ggml.bos_token_id";
  private static final String CLS = "tokenizer.ggml.cls_token_id";
  private static final String EOS = "tokenizer.ggml.eos_token_id";
  private static final String SEPARATOR = "tokenizer.ggml.seperator_token_id"; // spelled so

  private static final List<String> TURN_ENDS =
      List.of(
          "<|eot_id|>",
          "<|im_end|>",
          "<|end|>",
          "<end_of_turn>",
          "<|endoftext|>",
          "<|end_of_text|>",
          "<EOT>",
          "_<EOT>",
          "[EOT]",
          "<\uFF5Cend\u2581of\u2581sentence\uFF5C>",
          "<end_of_utterance>");

  private static final Set<String> OTHER_ENDS =
      Set.of(
          "<|return|>",
          "<|call|>",
          "<|flush|>",
          "<|calls|>",
          "</s>",
          "<|eom_id|>",
          "[EOS]",
          "<eos>",
          "<turn|>",
          "<|tool_response>",
          "[e~[",
          // of fill-in-the-middle: padding, the next repository, the next file
          "<|fim_pad|>",
          "<fim-pad>",
          "<fim_pad>",
          "<PAD>",
          "[PAD]",
          "<|fim_repo|>",
          "<|repo_name|>",
          "<fim-repo>",
          "<REPO>",
          "<reponame>",
          "<|file_sep|>");

  private static final Set<String> CHANNEL_MARKS =
      Set.of("<|channel|>", "<|message|>", "<|start|>", "<|constrain|>");

  private static final Set<String> WELL_KNOWN =
      Stream.of(TURN_ENDS, OTHER_ENDS, CHANNEL_MARKS)
          .flatMap(Collection::stream)
          .collect(Collectors.toUnmodifiableSet());

  private static final List<String> END_KEYS =
      List.of(
          "tokenizer.ggml.eom_token_id",
          "tokenizer.ggml.fim_pad_token_id",
          "tokenizer.ggml.fim_rep_token_id",
          "tokenizer.ggml.fim_sep_token_id");

  /**
   * Reads the roles; declares tokens control tokens that end a generation but are not so marked.
   */
  static SpecialTokens of(Metadata metadata, Vocabulary vocabulary, TokenizerModel model) {
    Map<String, Integer> known = wellKnown(vocabulary);
    int bos = id(metadata, vocabulary, metadata.has(BOS) ? BOS : CLS, model.bos);
    String eosKey = model == TokenizerModel.BERT ? SEPARATOR : EOS;
    int eos = id(metadata, vocabulary, eosKey, model.eos);
    int eotByText =
        TURN_ENDS.stream().filter(known::containsKey).findFirst().map(known::get).orElse(-1);
    int eot = id(metadata, vocabulary, "tokenizer.ggml.eot_token_id", eotByText);
    int unknown = id(metadata, vocabulary, "tokenizer.ggml.unknown_token_id", model.unknown);

    BitSet ends = new BitSet();
    BitSet rendered = new BitSet();
    known.forEach(
        (text, id) -> {
          (CHANNEL_MARKS.contains(text) ? rendered : ends).set(id);
          vocabulary.setKind(id, TokenKind.CONTROL);
        });
    setIfAny(ends, eos);
    setIfAny(ends, eot);
    for (String key : END_KEYS) {
      setIfAny(ends, id(metadata, vocabulary, key, Vocabulary.NONE));
    }
    keepOpen(known, ends, rendered);
    return new SpecialTokens(bos, eos, eot, unknown, ends, rendered);
  }

  /** Takes back what ends a generation elsewhere but not in the vocabularies of two families. */
  private static void keepOpen(Map<String, Integer> known, BitSet ends, BitSet rendered) {
    Integer end = known.get("<|end|>");
    boolean harmony = known.containsKey("<|return|>") && known.containsKey("<|call|>");
    boolean solar =
        known.containsKey("<|flush|>")
            && (known.containsKey("<|call|>") || known.containsKey("<|calls|>"));
    if (end != null && (harmony || solar)) {
      ends.clear(end); // ends a channel; the turn goes on
      rendered.set(end);
    }
    Integer slashS = known.get("</s>");
    if (slashS != null && known.containsKey("<|tool_response>")) {
      ends.clear(slashS); // an HTML tag there
    }
  }

  private static Map<String, Integer> wellKnown(Vocabulary vocabulary) {
    Map<String, Integer> result = new HashMap<>();
    for (int id = 0; id < vocabulary.size(); id++) {
      String text = vocabulary.text(id);
      char first = text.isEmpty() ? 0 : text.charAt(0);
      // All of them begin so, and few other tokens do: a third of the time on 262,144 tokens.
      if ((first == '<' || first == '[' || first == '_') && WELL_KNOWN.contains(text)) {
        result.putIfAbsent(text, id);
      }
    }
    return result;
  }

  private static void setIfAny(BitSet set, int id) {
    if (id != Vocabulary.NONE) {
      set.set(id);
    }
  }

  private static int id(Metadata metadata, Vocabulary vocabulary, String key, int otherwise) {
    if (!metadata.has(key)) {
      return otherwise < vocabulary.size() ? otherwise : Vocabulary.NONE;
    }
    long id = metadata.integer(key);
    if (id == -1 || id == 0xFFFFFFFFL) {
      return Vocabulary.NONE;
    }
    if (id < 0 || id >= vocabulary.size()) {
      throw vocabulary.refuse(
          key, "is %d; expected a token id, 0 to %d".formatted(id, vocabulary.size() - 1));
    }
    vocabulary.requireOneSpelling(key, (int) id);
    return (int) id;
  }
}
