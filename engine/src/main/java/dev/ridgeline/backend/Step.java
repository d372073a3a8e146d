package dev.ridgeline.backend;

import dev.ridgeline.sampler.Draw;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One forward pass over a ragged batch: some tokens of some sequences, with no difference between
 * prompt and generation. Tokens of a sequence stand together, by rising position. Mutable and
 * reused: {@link #clear()}, then {@link #beginSequence}, {@link #addToken}... for each.
 *
 * <p>The KV slot of position p of sequence s in KV group g is {@code blockTable(s, g)[p /
 * blockTokens] * blockTokens + p % blockTokens}. Entries wholly before a group's window may be
 * {@link #FREED}.
 */
public final class Step {
  /** A block table entry whose block was given back because no later token can see it. */
  public static final int FREED = -1;

  private final int[] tokens;
  private final int[] positions;
  private final int[] sequenceOfToken;
  private final int[] outputRows;
  private final @Nullable Draw[] draws;
  private final float[] uniforms;
  private final int[] firstToken;
  private final int[][][] blockTables;
  private int tokenCount;
  private int outputCount;
  private int sequenceCount;
  private boolean wantsTop;
  private boolean hasDraws;

  /**
   * The token that the step before this one chooses for its output {@code output}, {@link
   * Executable#choice}. For {@link Executable#startNext} only.
   */
  public static int choice(int output) {
    return -1 - output;
  }

  /** An empty step for at most what {@code capacity} allows. */
  public Step(Capacity capacity) {
    tokens = new int[capacity.maxTokens()];
    positions = new int[capacity.maxTokens()];
    sequenceOfToken = new int[capacity.maxTokens()];
    outputRows = new int[capacity.maxOutputs()];
    draws = new Draw[capacity.maxOutputs()];
    uniforms = new float[capacity.maxOutputs()];
    firstToken = new int[capacity.maxSequences() + 1];
    blockTables = new int[capacity.maxSequences()][][];
  }

  /** Forgets everything. */
  public void clear() {
    tokenCount = 0;
    outputCount = 0;
    sequenceCount = 0;
    firstToken[0] = 0;
    wantsTop = false;
    hasDraws = false;
    Arrays.fill(draws, null);
  }

  /** Asks for {@link Executable#top} of the outputs. */
  public void wantTop() {
    wantsTop = true;
  }

  /** Whether {@link Executable#top} of the outputs is wanted. */
  public boolean wantsTop() {
    return wantsTop;
  }

  /**
   * Says that the token after the output added last is drawn as {@code how} says, and not the
   * largest logit; asks for {@link Executable#top}.
   *
   * @param uniform the random number of the draw, 0 to 1
   */
  public void draw(Draw how, double uniform) {
    draws[outputCount - 1] = how;
    uniforms[outputCount - 1] = (float) uniform;
    hasDraws = true;
    wantsTop = true;
  }

  /** Whether there was a {@link #draw}. */
  public boolean hasDraws() {
    return hasDraws;
  }

  /** How the token after output {@code output} is drawn; null: it is the largest logit. */
  public @Nullable Draw draw(int output) {
    return draws[output];
  }

  /** The random number of that draw. */
  public float uniform(int output) {
    return uniforms[output];
  }

  /**
   * Starts the next sequence of the batch.
   *
   * @param blockTablesOfGroups for each KV group, the blocks of this sequence; read, not copied,
   *     until the step has run
   */
  public void beginSequence(int[][] blockTablesOfGroups) {
    blockTables[sequenceCount] = blockTablesOfGroups;
    sequenceCount++;
    firstToken[sequenceCount] = tokenCount;
  }

  /** Adds a token to the sequence begun last; {@code output}: its logits are wanted. */
  public void addToken(int token, int position, boolean output) {
    tokens[tokenCount] = token;
    positions[tokenCount] = position;
    sequenceOfToken[tokenCount] = sequenceCount - 1;
    if (output) {
      outputRows[outputCount++] = tokenCount;
    }
    tokenCount++;
    firstToken[sequenceCount] = tokenCount;
  }

  /** Tokens of all sequences. */
  public int tokenCount() {
    return tokenCount;
  }

  /** Rows of logits asked for. */
  public int outputCount() {
    return outputCount;
  }

  /** Sequences in the batch. */
  public int sequenceCount() {
    return sequenceCount;
  }

  /** Token id of row {@code row}, or a {@link #choice}. */
  public int token(int row) {
    return tokens[row];
  }

  /** Position of row {@code row} within its sequence. */
  public int position(int row) {
    return positions[row];
  }

  /** Sequence (index in this batch) of row {@code row}. */
  public int sequence(int row) {
    return sequenceOfToken[row];
  }

  /** Row whose logits are output {@code output}. */
  public int outputRow(int output) {
    return outputRows[output];
  }

  /** First row of sequence {@code sequence}; its rows end where the next one's begin. */
  public int firstRow(int sequence) {
    return firstToken[sequence];
  }

  /** The row after the last one of sequence {@code sequence}. */
  public int endRow(int sequence) {
    return firstToken[sequence + 1];
  }

  /** Block table of sequence {@code sequence} in KV group {@code group}. */
  public int[] blockTable(int sequence, int group) {
    return blockTables[sequence][group];
  }
}
