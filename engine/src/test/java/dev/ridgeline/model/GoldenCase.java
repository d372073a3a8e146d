package dev.ridgeline.model;

import dev.ridgeline.model.synth.Synth;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A tiny model whose logits were recorded from the reference engine by {@code dev/record-goldens}.
 * The model itself is not kept: its seed is, and the hash that the file must have.
 */
public record GoldenCase(String shape, FileType type) {
  private static final long SEED = 20261121;

  /** Every architecture, and every way to scale rotations, with exact weights; one quantized. */
  public static final List<GoldenCase> ALL =
      List.of(
          new GoldenCase("tiny-llama", FileType.F32),
          new GoldenCase("tiny-llama-3", FileType.F32),
          new GoldenCase("tiny-llama-linear", FileType.F32),
          new GoldenCase("tiny-llama-yarn", FileType.F32),
          new GoldenCase("tiny-mixtral", FileType.F32),
          new GoldenCase("tiny-qwen2", FileType.F32),
          new GoldenCase("tiny-qwen3", FileType.F32),
          new GoldenCase("tiny-qwen3moe", FileType.F32),
          new GoldenCase("tiny-gemma2", FileType.F32),
          new GoldenCase("tiny-gemma3", FileType.F32),
          new GoldenCase("tiny-phi3", FileType.F32),
          new GoldenCase("tiny-phi3-long", FileType.F32),
          new GoldenCase("tiny-granite", FileType.F32),
          new GoldenCase("tiny-gpt-oss", FileType.F32),
          new GoldenCase("tiny-gpt-oss", FileType.MXFP4));

  /** Prompt lengths: one token, a few, and enough to leave every window of the tiny models. */
  static final List<Integer> LENGTHS = List.of(1, 7, 70);

  /** Of the model's file and of its fixture. */
  public String name() {
    return shape + "-" + type;
  }

  /** Writes the model into {@code folder}, unless it is there. */
  public Path model(Path folder) {
    Path path = folder.resolve(name() + ".gguf");
    try {
      if (!Files.exists(path)) {
        new Synth(shape, type).write(path, SEED);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return path;
  }

  /** A prompt of {@code length} ids with no pattern, all of them below the vocabulary's size. */
  static int[] prompt(int length) {
    return IntStream.range(0, length).map(i -> 4 + (i * i * 31 + i * 17 + length) % 500).toArray();
  }

  static String sha256(Path path) throws IOException {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(path)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  @Override
  public String toString() {
    return name();
  }
}
