package dev.ridgeline.model;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Objects;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What another implementation computed for a trained model in float32, from the same F16 weights.
 */
record TrainedModel(List<Prompt> prompts, Heldout heldout) {
  /**
   * @param ids begins with BOS
   * @param last_top20 {@code [id, logit]} of the highest logits after the last id
   * @param nll_total {@code -sum ln p(id | ids before it)} over all ids but the first
   * @param greedy_ids the continuation
   * @param greedy_gaps at each of its steps, how far the chosen logit was above the next
   */
  record Prompt(
      int[] ids, double[][] last_top20, double nll_total, int[] greedy_ids, double[] greedy_gaps) {}

  /** Windows of text that the model never saw: ids, and nll of all but the first. */
  record Heldout(int[][] ids, double[] nll) {}

  /** The references of the model called {@code name}. */
  static TrainedModel read(String name) throws IOException {
    String resource = "/dev/ridgeline/models/" + name + "-refs.json";
    var json =
        JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();
    try (InputStream in =
        Objects.requireNonNull(TrainedModel.class.getResourceAsStream(resource), resource)) {
      return json.readValue(in, TrainedModel.class);
    }
  }
}
