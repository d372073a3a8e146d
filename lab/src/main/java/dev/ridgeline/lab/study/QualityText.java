package dev.ridgeline.lab.study;

import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.lab.LoadedModel;
import dev.ridgeline.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** The tokens that quality is measured on. */
final class QualityText {
  private QualityText() {}

  /**
   * Windows of {@code file}, spread evenly over it; each starts with the model's first token if it
   * has one.
   */
  static List<int[]> read(Path file, GgufFile model, int tokens, int windowTokens)
      throws IOException {
    Tokenizer tokenizer = Tokenizer.of(model.metadata());
    int[] ids = tokenizer.encode(Files.readString(file), Tokenizer.Bos.NO, false);
    int windows = Math.min(Math.max(1, tokens / windowTokens), ids.length / windowTokens);
    if (windows == 0) {
      throw new IllegalArgumentException(
          "%s: has %d tokens; expected at least a window of %d"
              .formatted(file, ids.length, windowTokens));
    }
    List<int[]> all = new ArrayList<>();
    for (int w = 0; w < windows; w++) {
      int last = ids.length / windowTokens - 1;
      int index = windows == 1 ? 0 : (int) ((long) w * last / (windows - 1));
      int[] window = Arrays.copyOfRange(ids, index * windowTokens, (index + 1) * windowTokens);
      if (bos(model) >= 0) {
        window[0] = bos(model);
      }
      all.add(window);
    }
    return all;
  }

  /** Windows that {@code source} writes itself, at temperature 1, always the same. */
  static List<int[]> write(LoadedModel source, GgufFile model, int tokens, int windowTokens) {
    var random = new SplittableRandom(1);
    float[] logits = new float[source.executable().vocabularySize()];
    List<int[]> all = new ArrayList<>();
    for (int w = 0; w < Math.max(1, tokens / windowTokens); w++) {
      int[] window = new int[windowTokens];
      window[0] = bos(model) >= 0 ? bos(model) : random.nextInt(logits.length);
      source.driver().reset();
      for (int i = 1; i < windowTokens; i++) {
        source.driver().token(window[i - 1]);
        source.executable().logits(0, logits);
        window[i] = draw(logits, random.nextDouble());
      }
      all.add(window);
    }
    return all;
  }

  private static int bos(GgufFile model) {
    return (int) model.metadata().integer("tokenizer.ggml.bos_token_id", -1);
  }

  /** The token at {@code share} of the summed probabilities. */
  private static int draw(float[] logits, double share) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    double left = share * sum;
    int last = 0;
    for (int i = 0; i < logits.length && left >= 0; i++) {
      left -= Math.exp(logits[i] - max);
      last = i;
    }
    return last;
  }
}
