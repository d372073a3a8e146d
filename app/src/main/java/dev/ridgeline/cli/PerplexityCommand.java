package dev.ridgeline.cli;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.lab.quality.KlDivergence;
import dev.ridgeline.lab.quality.Perplexity;
import dev.ridgeline.lab.quality.Windows;
import dev.ridgeline.model.Model;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
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
      "The text is cut into windows; the second half of each is scored, as in llama.cpp.",
      "With --kld-base also how far its predictions are from those of the model that wrote FILE."
    })
final class PerplexityCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "A GGUF file.")
  private Path model = Path.of("");

  @Mixin private WindowArguments windows = new WindowArguments();

  @ArgGroup private Kld kld = new Kld();

  private static final class Kld {
    @Option(
        names = "--kld-save",
        paramLabel = "FILE",
        description = "Save this model's predictions, for others to be compared with (large).")
    private @Nullable Path save;

    @Option(
        names = "--kld-base",
        paramLabel = "FILE",
        description = "Compare with what --kld-save wrote; the text is in it.")
    private @Nullable Path base;
  }

  @Option(names = "--format", paramLabel = "F", description = "text or json. Default: text.")
  private Format format = Format.TEXT;

  @Mixin private BackendArguments backend = new BackendArguments();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    if ((windows.file == null) == (kld.base == null)) {
      throw new Errors.InputException(
          kld.base == null
              ? "--file is missing: name a UTF-8 file with the text"
              : "--file and --kld-base: the text is that of --kld-base; leave --file out");
    }
    try (GgufFile gguf = GgufFile.open(model);
        Backend b = Backends.open(backend.backend, backend.options())) {
      Progress progress = new Progress(spec.commandLine().getErr());
      progress.accept("loading " + model.getFileName());
      try {
        measure(gguf, b, progress);
      } finally {
        progress.clear();
      }
      return 0;
    }
  }

  private void measure(GgufFile gguf, Backend b, Progress progress) throws IOException {
    var options = new Perplexity.Options(windows.batch, backend.kvType);
    BiConsumer<Integer, Double> at =
        (done, value) ->
            progress.accept(Text.number("%d windows done, perplexity %.4f", done, value));
    if (kld.base != null) {
      Model m = Model.read(gguf.metadata(), gguf.tensors());
      KlDivergence.Result result = KlDivergence.measure(gguf, m, b, kld.base, options, at);
      gguf.checkNotTruncated();
      progress.clear();
      print(result);
      return;
    }
    Model m = Model.read(gguf.metadata(), gguf.tensors(), windows.context);
    Windows cut = windows.cut(gguf);
    Perplexity.Result result =
        kld.save == null
            ? Perplexity.measure(gguf, m, b, cut, options, at)
            : KlDivergence.save(gguf, m, b, cut, options, kld.save, at);
    gguf.checkNotTruncated();
    progress.clear();
    print(result);
  }

  private void print(Perplexity.Result result) {
    PrintWriter out = spec.commandLine().getOut();
    if (format == Format.JSON) {
      Json.print(out, result);
    } else {
      out.println(line(result));
      out.flush();
    }
  }

  private static String line(Perplexity.Result r) {
    return Text.number(
        "perplexity %.4f +/- %.4f, %d tokens scored in %d windows of %d, %s tok/s",
        r.perplexity(),
        r.standardError(),
        r.tokens(),
        r.windows(),
        r.context(),
        Text.significant(r.tokensPerSecond()));
  }

  private void print(KlDivergence.Result r) {
    PrintWriter out = spec.commandLine().getOut();
    if (format == Format.JSON) {
      Json.print(out, KldOutput.of(r));
      return;
    }
    out.println(line(r.perplexity()));
    out.println(
        Text.number(
            "base perplexity %.4f, ratio %.5f",
            r.basePerplexity(), r.perplexity().perplexity() / r.basePerplexity()));
    out.println(
        Text.number(
            "KL divergence %.6f +/- %.6f nats; median %.6f, 95 %% %.6f, 99 %% %.6f, largest %.6f",
            r.meanKld(),
            r.meanKldStandardError(),
            r.kld().p50(),
            r.kld().p95(),
            r.kld().p99(),
            r.kld().max()));
    out.println(
        Text.number(
            "same most probable token at %.2f %% of the positions", 100 * r.topTokenAgreement()));
    out.println(
        Text.number(
            "probability of the text's tokens: mean change %+.3f %%, root mean square %.3f %%;"
                + " 1 %% %+.2f %%, 99 %% %+.2f %%",
            100 * r.meanProbabilityChange(),
            100 * r.rmsProbabilityChange(),
            100 * r.probabilityChange().p1(),
            100 * r.probabilityChange().p99()));
    out.flush();
  }

  /** The perplexity's keys and those of the comparison, side by side, as the contract has them. */
  record KldOutput(
      double perplexity,
      double standardError,
      long tokens,
      int windows,
      int context,
      double seconds,
      double tokensPerSecond,
      double basePerplexity,
      double meanKld,
      double meanKldStandardError,
      KlDivergence.Percentiles kld,
      double topTokenAgreement,
      double meanProbabilityChange,
      double rmsProbabilityChange,
      KlDivergence.Percentiles probabilityChange) {
    static KldOutput of(KlDivergence.Result r) {
      Perplexity.Result p = r.perplexity();
      return new KldOutput(
          p.perplexity(),
          p.standardError(),
          p.tokens(),
          p.windows(),
          p.context(),
          p.seconds(),
          p.tokensPerSecond(),
          r.basePerplexity(),
          r.meanKld(),
          r.meanKldStandardError(),
          r.kld(),
          r.topTokenAgreement(),
          r.meanProbabilityChange(),
          r.rmsProbabilityChange(),
          r.probabilityChange());
    }
  }
}
