package dev.ridgeline.cli;

import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.lab.quality.Windows;
import dev.ridgeline.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** A text, and the windows it is cut into. */
final class WindowArguments {
  @Option(
      names = "--file",
      paramLabel = "F",
      description = "A UTF-8 file with the text; - is standard input.")
  @Nullable Path file;

  @Option(
      names = {"-c", "--ctx"},
      paramLabel = "N",
      description = "Tokens of a window. Default: 512.")
  int context = 512;

  @Option(
      names = "--chunks",
      paramLabel = "N",
      description = "Windows to take at most. Default: all.")
  int chunks;

  @Option(
      names = {"-b", "--batch"},
      paramLabel = "N",
      description = "Most tokens in one step. Default: 1024.")
  int batch = 1024;

  /** The windows of the text in {@code model}'s tokens. */
  Windows cut(GgufFile model) throws IOException {
    String text = TextFile.read(Objects.requireNonNull(file, "--file"));
    Tokenizer tokenizer = Tokenizer.of(model.metadata());
    OptionalInt bos = tokenizer.addBos() ? tokenizer.bos() : OptionalInt.empty();
    int[] ids = tokenizer.encode(text, Tokenizer.Bos.AUTO, false);
    return Windows.halfScored(ids, context, bos, chunks);
  }
}
