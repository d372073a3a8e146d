package dev.ridgeline.cli;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.lab.quality.Perplexity;
import dev.ridgeline.lab.quality.Windows;
import dev.ridgeline.model.Model;
import dev.ridgeline.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ridgeline perplexity}. */
@Command(
    name = "perplexity",
    mixinStandardHelpOptions = true,
    description = {
      "How well a model predicts a text: exp of the mean negative logarithm of the probability of"
          + " each token.",
      "The text is cut into windows; the second half of each is scored, as in llama.cpp."
    })
final class PerplexityCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "A GGUF file.")
  private Path model = Path.of("");

  @Option(
      names = "--file",
      required = true,
      paramLabel = "F",
      description = "A UTF-8 file with the text; - is standard input.")
  private Path file = Path.of("");

  @Option(
      names = {"-c", "--ctx"},
      paramLabel = "N",
      description = "Tokens of a window. Default: 512.")
  private int context = 512;

  @Option(
      names = "--chunks",
      paramLabel = "N",
      description = "Windows to measure at most. Default: all.")
  private int chunks;

  @Option(
      names = {"-b", "--batch"},
      paramLabel = "N",
      description = "Most tokens in one step. Default: 1024.")
  private int batch = 1024;

  @Option(names = "--format", paramLabel = "F", description = "text or json. Default: text.")
  private Format format = Format.TEXT;

  @Mixin private BackendArguments backend = new BackendArguments();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    String text = TextFile.read(file);
    try (GgufFile gguf = GgufFile.open(model);
        Backend b = Backends.open(backend.backend, backend.options())) {
      Model m = Model.read(gguf.metadata(), gguf.tensors(), context);
      Windows windows = windows(Tokenizer.of(gguf.metadata()), text);
      var options = new Perplexity.Options(batch, backend.kvType);
      Progress progress = new Progress(spec.commandLine().getErr());
      progress.accept("loading " + model.getFileName());
      Perplexity.Result result =
          gguf.reading(
              () ->
                  Perplexity.measure(
                      gguf,
                      m,
                      b,
                      windows,
                      options,
                      (done, value) ->
                          progress.accept(
                              Text.number(
                                  "window %d of %d, perplexity %.4f",
                                  done, windows.count(), value))));
      progress.clear();
      print(result);
      return 0;
    }
  }

  private Windows windows(Tokenizer tokenizer, String text) {
    OptionalInt bos = tokenizer.addBos() ? tokenizer.bos() : OptionalInt.empty();
    int[] ids = tokenizer.encode(text, Tokenizer.Bos.AUTO, false);
    return Windows.halfScored(ids, context, bos, chunks);
  }

  private void print(Perplexity.Result result) {
    if (format == Format.JSON) {
      Json.print(spec.commandLine().getOut(), result);
      return;
    }
    spec.commandLine()
        .getOut()
        .println(
            Text.number(
                "perplexity %.4f +/- %.4f, %d tokens scored in %d windows of %d, %s tok/s",
                result.perplexity(),
                result.standardError(),
                result.tokens(),
                result.windows(),
                result.context(),
                Text.significant(result.tokensPerSecond())));
    spec.commandLine().getOut().flush();
  }
}
