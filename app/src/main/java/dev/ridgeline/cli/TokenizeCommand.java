package dev.ridgeline.cli;

import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ridgeline tokenize}. */
@Command(
    name = "tokenize",
    mixinStandardHelpOptions = true,
    description = "Turns text into token ids, as the model's own tokenizer does.")
final class TokenizeCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "A GGUF file; its vocabulary is enough.")
  private Path model = Path.of("");

  @ArgGroup(multiplicity = "1")
  private Input input = new Input();

  private static final class Input {
    @Option(names = "--text", paramLabel = "T", description = "The text.")
    private @Nullable String text;

    @Option(
        names = "--file",
        paramLabel = "F",
        description = "A UTF-8 file with the text; - is standard input.")
    private @Nullable Path file;
  }

  @Option(
      names = "--bos",
      paramLabel = "WHEN",
      description =
          "Begin with the BOS token (and end with EOS where the file asks for it): auto (as the file says), yes or no. Default: auto.")
  private Tokenizer.Bos bos = Tokenizer.Bos.AUTO;

  @Option(names = "--special", description = "Read the texts of special tokens as those tokens.")
  private boolean special;

  @Option(names = "--format", paramLabel = "F", description = "text or json. Default: text.")
  private Format format = Format.TEXT;

  @Spec private CommandSpec spec;

  private record Output(int[] ids, List<String> pieces) {}

  @Override
  public Integer call() throws IOException {
    try (GgufFile file = GgufFile.open(model)) {
      Tokenizer tokenizer = Tokenizer.of(file.metadata());
      tokenizer.warnings().forEach(w -> spec.commandLine().getErr().println("ridgeline: " + w));
      int[] ids = tokenizer.encode(text(), bos, special);
      PrintWriter out = spec.commandLine().getOut();
      if (format == Format.JSON) {
        var pieces = Arrays.stream(ids).mapToObj(id -> Text.piece(tokenizer.bytes(id))).toList();
        Json.print(out, new Output(ids, pieces));
      } else {
        for (int id : ids) {
          out.printf("%8d  %s%n", id, Text.quoted(Text.piece(tokenizer.bytes(id))));
        }
        out.flush();
      }
      return 0;
    }
  }

  private String text() throws IOException {
    return input.file == null ? input.text == null ? "" : input.text : TextFile.read(input.file);
  }
}
