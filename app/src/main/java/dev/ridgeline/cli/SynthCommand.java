package dev.ridgeline.cli;

import dev.ridgeline.model.FileType;
import dev.ridgeline.model.synth.Synth;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ridgeline synth}. */
@Command(
    name = "synth",
    mixinStandardHelpOptions = true,
    description = {
      "Writes a model of a released shape with random weights: its speed is the released model's,"
          + " its text is noise.",
      "The same shape, type and seed give the same file on every machine."
    })
final class SynthCommand implements Callable<Integer> {
  /** The names for {@code --help} and completion. */
  static final class Shapes implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Synth.shapes().iterator();
    }
  }

  @Parameters(
      paramLabel = "SHAPE",
      completionCandidates = Shapes.class,
      description = "One of ${COMPLETION-CANDIDATES}.")
  private String shape = "";

  @Parameters(paramLabel = "TYPE", description = "One of ${COMPLETION-CANDIDATES}.")
  private FileType type = FileType.F16;

  @Parameters(paramLabel = "OUT", description = "The GGUF file to write.")
  private Path out = Path.of("");

  @Option(
      names = {"-s", "--seed"},
      paramLabel = "N",
      description = "Seed of the weights. Default: 1.")
  private long seed = 1;

  @Option(
      names = {"-f", "--force"},
      description = "Write over a file that is there.")
  private boolean force;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    Synth synth = new Synth(shape, type);
    if (!force && Files.exists(out)) {
      throw new Errors.InputException(out + ": is there already; --force writes over it");
    }
    Path folder = out.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new Errors.InputException(
          folder + ": no such folder to write " + out.getFileName() + " in");
    }
    PrintWriter err = spec.commandLine().getErr();
    Progress progress = new Progress(err);
    progress.accept("writing " + Text.bytes(synth.bytes()));
    synth.write(out, seed);
    progress.clear();
    err.println(
        "%s: %s %s, %s, %d tensors"
            .formatted(out, shape, type, Text.bytes(Files.size(out)), synth.tensors().size()));
    return 0;
  }
}
