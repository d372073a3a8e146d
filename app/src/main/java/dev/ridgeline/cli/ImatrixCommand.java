package dev.ridgeline.cli;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.lab.quality.ImportanceCollector;
import dev.ridgeline.lab.quality.Perplexity;
import dev.ridgeline.lab.quality.Windows;
import dev.ridgeline.model.Model;
import dev.ridgeline.quantize.Importance;
import dev.ridgeline.quantize.ImportanceFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ridgeline imatrix}. */
@Command(
    name = "imatrix",
    mixinStandardHelpOptions = true,
    description = {
      "Measures over a text which columns of each weight matter, for 'quantize --imatrix'.",
      "The file is llama.cpp's GGUF form, which its own tools read too."
    })
final class ImatrixCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "A GGUF file, best unquantized.")
  private Path model = Path.of("");

  @Mixin private WindowArguments windows = new WindowArguments();

  @Option(
      names = {"-o", "--out"},
      paramLabel = "OUT",
      description = "The file to write. Default: imatrix.gguf.")
  private Path out = Path.of("imatrix.gguf");

  @Option(
      names = {"-f", "--force"},
      description = "Write over a file that is there.")
  private boolean force;

  @Mixin private BackendArguments backend = new BackendArguments();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Path text = windows.file;
    if (text == null) {
      throw new Errors.InputException("--file is missing: name a UTF-8 file with the text");
    }
    if (!force && Files.exists(out)) {
      throw new Errors.InputException(out + ": is there already; --force writes over it");
    }
    try (GgufFile gguf = GgufFile.open(model);
        Backend b = Backends.open(backend.backend, backend.options())) {
      Progress progress = new Progress(spec.commandLine().getErr());
      progress.accept("loading " + model.getFileName());
      Model m = Model.read(gguf.metadata(), gguf.tensors(), windows.context);
      Windows cut = windows.cut(gguf);
      Importance importance =
          ImportanceCollector.measure(
              gguf,
              m,
              b,
              cut,
              new Perplexity.Options(windows.batch, backend.kvType),
              text.getFileName().toString(),
              done -> progress.accept("window %d of %d".formatted(done, cut.count())));
      gguf.checkNotTruncated();
      progress.clear();
      ImportanceFile.write(importance, out);
      spec.commandLine()
          .getErr()
          .println(
              "%s: %d tensors, %d windows of %d tokens"
                  .formatted(out, importance.entries().size(), cut.count(), cut.context()));
    }
    return 0;
  }
}
