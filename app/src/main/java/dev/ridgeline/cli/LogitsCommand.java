package dev.ridgeline.cli;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.lab.LoadedModel;
import dev.ridgeline.model.Model;
import dev.ridgeline.tokenizer.Tokenizer;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ridgeline logits}. */
@Command(
    name = "logits",
    mixinStandardHelpOptions = true,
    description = "The largest logits after the last of some tokens.")
final class LogitsCommand implements Callable<Integer> {
  private static final int BATCH = 512;

  @Parameters(paramLabel = "MODEL", description = "A GGUF file.")
  private Path model = Path.of("");

  @Option(
      names = "--tokens",
      required = true,
      split = ",",
      paramLabel = "ID",
      description = "Token ids, as they are: nothing is added in front.")
  private int[] tokens = {};

  @Option(names = "--top", paramLabel = "N", description = "How many. Default: 20.")
  private int top = 20;

  @Option(names = "--format", paramLabel = "F", description = "text or json. Default: text.")
  private Format format = Format.TEXT;

  @Mixin private BackendArguments backend = new BackendArguments();

  @Spec private CommandSpec spec;

  private record Entry(int id, String piece, float logit, double logprob) {}

  private record Output(List<Entry> top) {}

  @Override
  public Integer call() {
    try (GgufFile file = GgufFile.open(model)) {
      Tokenizer tokenizer = Tokenizer.of(file.metadata());
      float[] logits = logits(file, Model.read(file.metadata(), file.tensors(), tokens.length));
      print(best(logits, tokenizer));
      return 0;
    }
  }

  private float[] logits(GgufFile file, Model m) {
    check(m);
    var room = LoadedModel.Room.of(tokens.length, BATCH, backend.kvType);
    try (Backend b = Backends.open(backend.backend, backend.options());
        LoadedModel loaded = new LoadedModel(file, m, b, room)) {
      loaded.driver().prompt(tokens);
      float[] logits = new float[loaded.executable().vocabularySize()];
      loaded.executable().logits(0, logits);
      return logits;
    }
  }

  private void check(Model m) {
    if (tokens.length == 0 || tokens.length > m.contextLength()) {
      throw new Errors.InputException(
          "--tokens: expected 1 to %d ids, found %d".formatted(m.contextLength(), tokens.length));
    }
    for (int id : tokens) {
      if (id < 0 || id >= m.vocabularySize()) {
        throw new Errors.InputException(
            "--tokens: expected ids of 0 to %d, found %d".formatted(m.vocabularySize() - 1, id));
      }
    }
    if (top < 1) {
      throw new Errors.InputException("--top: expected 1 or more, found " + top);
    }
  }

  private List<Entry> best(float[] logits, Tokenizer tokenizer) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    double logSum = max + Math.log(sum);
    return IntStream.range(0, logits.length)
        .boxed()
        .sorted(Comparator.comparingDouble(id -> -logits[id]))
        .limit(top)
        .map(id -> new Entry(id, piece(tokenizer, id), logits[id], logits[id] - logSum))
        .toList();
  }

  /** The output matrix may have more rows than the vocabulary has tokens (padding). */
  private static String piece(Tokenizer tokenizer, int id) {
    return id < tokenizer.size() ? Text.piece(tokenizer.bytes(id)) : "";
  }

  private void print(List<Entry> best) {
    PrintWriter out = spec.commandLine().getOut();
    if (format == Format.JSON) {
      Json.print(out, new Output(best));
      return;
    }
    out.printf("%8s  %10s  %10s  %s%n", "id", "logit", "logprob", "piece");
    for (Entry e : best) {
      out.printf("%8d  %10.4f  %10.4f  %s%n", e.id, e.logit, e.logprob, Text.quoted(e.piece));
    }
    out.flush();
  }
}
