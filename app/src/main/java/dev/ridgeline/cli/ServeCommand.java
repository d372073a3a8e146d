package dev.ridgeline.cli;

import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.EngineListener;
import dev.ridgeline.server.Server;
import dev.ridgeline.server.ServerSettings;
import dev.ridgeline.server.ServerSettings.Admission;
import dev.ridgeline.server.ServerSettings.Limits;
import dev.ridgeline.server.ServerSettings.Listen;
import dev.ridgeline.server.ServerSettings.Operations;
import dev.ridgeline.server.ServerSettings.TlsFiles;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ridgeline serve}. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Serves a model over HTTP: OpenAI's API under /v1, Anthropic's /v1/messages, a page at /.",
      "Ends on SIGTERM or Ctrl-C, after the requests under way have had time to finish."
    })
final class ServeCommand implements Callable<Integer> {
  @Mixin private ModelArgument model = new ModelArgument();

  @Option(
      names = "--host",
      paramLabel = "ADDR",
      description = "Where to listen; 0.0.0.0 is everywhere. Default: 127.0.0.1.")
  private String host = ServerSettings.DEFAULTS.listen().host();

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "Port; 0 is any that is free. Default: 8080.")
  private int port = ServerSettings.DEFAULTS.listen().port();

  @Option(
      names = {"-a", "--alias"},
      paramLabel = "NAME",
      description =
          "The model's name for clients; repeatable. Other names are refused then. Default: any.")
  private List<String> aliases = List.of();

  @Option(
      names = "--parallel",
      paramLabel = "N",
      description = "Sequences that run at the same time. Default: 32.")
  private int parallel = 32;

  @Mixin private ContextArguments context = new ContextArguments();

  @Option(
      names = "--kv-tokens",
      paramLabel = "N",
      description =
          "Tokens of KV cache, shared by all sequences and the prefix cache. Default: context times"
              + " parallel, or less if memory is short.")
  private int kvTokens;

  @Option(
      names = "--prefix-cache",
      paramLabel = "BYTES",
      description =
          "Most of the KV cache that prompts of the past may keep for those that begin alike, such as"
              + " 512M or 2G; 0: none. Default: all that nobody else needs.",
      converter = ByteCount.class)
  private long prefixCacheBytes = Long.MAX_VALUE;

  @Option(
      names = "--max-gap",
      paramLabel = "MS",
      description =
          "How long prompts of others may delay the next token of a sequence. Default: 50.")
  private int maxGapMillis = 50;

  @Mixin private BackendArguments backend = new BackendArguments();

  @Option(
      names = "--embeddings",
      description = "Answer /v1/embeddings too; takes activations and KV for one more sequence.")
  private boolean embeddings;

  @Option(
      names = "--api-keys",
      paramLabel = "FILE",
      description = "Ask for a key: a line KEY or NAME KEY each. Read again when it changes.")
  private @Nullable Path apiKeys;

  @Option(
      names = "--cors",
      paramLabel = "ORIGIN",
      description = "An origin whose pages may call the server, or *; repeatable.")
  private List<String> origins = List.of();

  @Option(names = "--tls-cert", paramLabel = "FILE", description = "Certificates, PEM.")
  private @Nullable Path tlsCert;

  @Option(names = "--tls-key", paramLabel = "FILE", description = "Their key, PEM (PKCS#8).")
  private @Nullable Path tlsKey;

  @Option(
      names = "--max-body",
      paramLabel = "BYTES",
      description = "Longest body of a request. Default: 16777216.")
  private int maxBody = Limits.DEFAULTS.bodyBytes();

  @Option(
      names = "--max-choices",
      paramLabel = "N",
      description = "Most answers to a request (n times its prompts). Default: 128.")
  private int maxChoices = Limits.DEFAULTS.choices();

  @Option(
      names = "--max-time",
      paramLabel = "S",
      description = "Longest time of a request in seconds. Default: 3600.")
  private int maxTime = (int) Limits.DEFAULTS.time().toSeconds();

  @Option(
      names = "--queue-requests",
      paramLabel = "N",
      description = "Most sequences that wait; beyond it 429. Default: 256.")
  private int queueRequests = Admission.DEFAULTS.requests();

  @Option(
      names = "--queue-tokens",
      paramLabel = "N",
      description = "Most prompt tokens that wait. Default: 4000000.")
  private long queueTokens = Admission.DEFAULTS.tokens();

  @Option(
      names = "--queue-age",
      paramLabel = "S",
      description = "Longest time that a request waits, in seconds. Default: 60.")
  private int queueAge = (int) Admission.DEFAULTS.age().toSeconds();

  @Option(
      names = "--drain",
      paramLabel = "S",
      description = "Time for running requests when told to end, in seconds. Default: 30.")
  private int drain = (int) Operations.DEFAULTS.drain().toSeconds();

  @Option(
      names = "--stuck-step",
      paramLabel = "S",
      description = "A step longer than this, in seconds, makes /livez fail. Default: 120.")
  private int stuckStep = (int) Operations.DEFAULTS.stuckStep().toSeconds();

  @Option(names = "--log-json", description = "One JSON object a line instead of text.")
  private boolean logJson;

  @Option(names = "--log-prompts", description = "Write requests' bodies to the log.")
  private boolean logPrompts;

  @Override
  public Integer call() throws InterruptedException {
    ServerSettings settings = settings();
    Path path = model.path();
    if (!Files.exists(path)) {
      throw new Errors.InputException(path + ": no such file");
    }
    Server server = Server.start(settings, loader(path), System.err);
    var closer = new Thread(server::close, "ridgeline-shutdown");
    Runtime.getRuntime().addShutdownHook(closer);
    try {
      server.awaitClosed();
    } finally {
      // Where loading failed, nothing else would close it; after a signal the hook is running.
      if (closer.getState() == Thread.State.NEW) {
        try {
          Runtime.getRuntime().removeShutdownHook(closer);
          server.close();
        } catch (IllegalStateException e) {
          closer.join();
        }
      }
    }
    return 0;
  }

  private Server.Loader loader(Path path) {
    return new Server.Loader() {
      @Override
      public Engine load(EngineListener listener) {
        return open(path, listener);
      }

      @Override
      public MachineLimits limits(Engine engine) {
        return LimitsCache.of(engine.backend());
      }
    };
  }

  private Engine open(Path path, EngineListener listener) {
    return Engine.open(
        path,
        Engines.options(backend, context)
            .parallel(parallel)
            .kvTokens(kvTokens)
            .prefixCacheBytes(prefixCacheBytes)
            .maxGap(Duration.ofMillis(maxGapMillis))
            .embeddings(embeddings)
            .listeners(listener)
            .onPlan(
                plan -> {
                  if (!logJson) {
                    Plans.print(
                        new PrintWriter(System.err, true, System.err.charset()),
                        plan.places(),
                        plan.kvTokens());
                  }
                })
            .build());
  }

  private ServerSettings settings() {
    if (tlsCert == null != (tlsKey == null)) {
      throw new Errors.InputException("--tls-cert and --tls-key: expected both, found one");
    }
    TlsFiles tls = tlsCert == null || tlsKey == null ? null : new TlsFiles(tlsCert, tlsKey);
    Limits d = Limits.DEFAULTS;
    return new ServerSettings(
        new Listen(host, port, origins, tls),
        new Limits(
            maxBody,
            d.headerBytes(),
            maxChoices,
            Duration.ofSeconds(maxTime),
            d.write(),
            d.connections()),
        new Admission(queueRequests, queueTokens, Duration.ofSeconds(queueAge)),
        new Operations(
            apiKeys, logPrompts, logJson, Duration.ofSeconds(drain), Duration.ofSeconds(stuckStep)),
        aliases);
  }
}
