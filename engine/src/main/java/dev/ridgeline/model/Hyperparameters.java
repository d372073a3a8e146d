package dev.ridgeline.model;

import java.util.Optional;

/**
 * The sizes that all architectures share; what only one of them has stands in its own file. Every
 * value comes from metadata that was checked against the tensors' presence, so that nothing is ever
 * allocated for a number that a file merely claims.
 *
 * @param architecture {@code general.architecture}
 * @param blockCount transformer layers
 * @param contextLength tokens the model was trained for
 * @param vocabularySize rows of the token embedding
 * @param embeddingLength width of the residual stream
 * @param feedForwardLength width of the dense feed-forward layer; 0 if there are only experts
 * @param rmsEpsilon added to the mean square in every norm
 * @param heads attention heads
 * @param experts the mixture of experts, if the layers have one
 */
public record Hyperparameters(
    String architecture,
    int blockCount,
    int contextLength,
    int vocabularySize,
    int embeddingLength,
    int feedForwardLength,
    float rmsEpsilon,
    Heads heads,
    Optional<Experts> experts) {

  /**
   * The attention's heads.
   *
   * @param count query heads
   * @param countKv key and value heads, each shared by {@code count / countKv} query heads
   * @param keyLength elements of a query or key head
   * @param valueLength elements of a value head
   */
  public record Heads(int count, int countKv, int keyLength, int valueLength) {}

  /**
   * A mixture of experts.
   *
   * @param count experts of a layer
   * @param usedCount experts that each token uses
   * @param feedForwardLength width of one expert
   */
  public record Experts(int count, int usedCount, int feedForwardLength) {}

  private static final int MAX_EMBEDDING = 1 << 20;
  private static final int MAX_FEED_FORWARD = 1 << 24;
  private static final int MAX_HEADS = 1 << 12;
  private static final int MAX_HEAD_LENGTH = 1 << 14;
  private static final int MAX_EXPERTS = 1 << 14;

  /** Reads and checks them. */
  static Hyperparameters read(Keys keys, Tensors tensors) {
    int embedding = keys.count("embedding_length", MAX_EMBEDDING);
    Optional<Experts> experts = readExperts(keys);
    int feedForward =
        experts.isPresent()
            ? keys.countOrNone("feed_forward_length", MAX_FEED_FORWARD, 0)
            : keys.count("feed_forward_length", MAX_FEED_FORWARD);
    return new Hyperparameters(
        keys.architecture(),
        // Each layer has tensors of its own, so a larger count is a lie that costs nothing to spot.
        keys.count("block_count", Math.max(1, tensors.count())),
        keys.count("context_length", Integer.MAX_VALUE),
        readVocabularySize(keys, tensors),
        embedding,
        feedForward,
        keys.positive("attention.layer_norm_rms_epsilon"),
        readHeads(keys, embedding),
        experts);
  }

  private static Heads readHeads(Keys keys, int embedding) {
    int count = keys.count("attention.head_count", MAX_HEADS);
    int countKv = keys.count("attention.head_count_kv", MAX_HEADS, count);
    if (count % countKv != 0) {
      throw keys.refuse("attention.head_count_kv", countKv, "a divisor of head_count " + count);
    }
    if (!keys.has("attention.key_length") && embedding % count != 0) {
      throw keys.refuse(
          "attention.head_count", count, "a divisor of embedding_length " + embedding);
    }
    int length = Math.max(1, embedding / count);
    return new Heads(
        count,
        countKv,
        keys.count("attention.key_length", MAX_HEAD_LENGTH, length),
        keys.count("attention.value_length", MAX_HEAD_LENGTH, length));
  }

  private static Optional<Experts> readExperts(Keys keys) {
    int count = keys.countOrNone("expert_count", MAX_EXPERTS, 0);
    if (count == 0) {
      return Optional.empty();
    }
    int used = keys.count("expert_used_count", count);
    String key =
        keys.has("expert_feed_forward_length")
            ? "expert_feed_forward_length"
            : "feed_forward_length";
    // The used experts' outputs of a token stand side by side in one row.
    return Optional.of(new Experts(count, used, keys.count(key, Integer.MAX_VALUE / 2 / used)));
  }

  private static int readVocabularySize(Keys keys, Tensors tensors) {
    int rows = tensors.rowsOf("token_embd.weight");
    String tokens = "tokenizer.ggml.tokens";
    if (keys.metadata().has(tokens)) {
      int size = keys.metadata().strings(tokens).size();
      if (size != rows) {
        throw tensors.refuse(
            "token_embd.weight", "has " + rows + " rows; the tokenizer has " + size + " tokens");
      }
    }
    return rows;
  }
}
