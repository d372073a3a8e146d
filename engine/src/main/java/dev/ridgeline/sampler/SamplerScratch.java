package dev.ridgeline.sampler;

/**
 * Memory that samplers work in, as wide as the vocabulary; one for each thread that samples, shared
 * by all requests.
 */
public final class SamplerScratch {
  final Candidates candidates;
  final Repetition repetition;
  private float[] rawLogits = new float[0];

  /** For rows of {@code vocabularySize} logits. */
  public SamplerScratch(int vocabularySize) {
    candidates = new Candidates(vocabularySize);
    repetition = new Repetition(vocabularySize);
  }

  /** A copy of {@code logits}, valid until the next call. */
  float[] copy(float[] logits) {
    if (rawLogits.length != logits.length) {
      rawLogits = new float[logits.length]; // once, and only if somebody asks for log-probabilities
    }
    System.arraycopy(logits, 0, rawLogits, 0, logits.length);
    return rawLogits;
  }
}
