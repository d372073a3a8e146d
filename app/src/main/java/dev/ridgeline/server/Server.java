package dev.ridgeline.server;

import dev.ridgeline.backend.Degradation;
import dev.ridgeline.backend.MachineLimits;
import dev.ridgeline.scheduler.Engine;
import dev.ridgeline.scheduler.EngineListener;
import dev.ridgeline.server.ApiException.Kind;
import io.helidon.common.configurable.Resource;
import io.helidon.common.pki.Keys;
import io.helidon.common.tls.Tls;
import io.helidon.http.DirectHandler;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP server. It listens at once, and says that it is not ready until the model is loaded and
 * has answered for the first time.
 */
public final class Server implements AutoCloseable {
  /** Held, for a logger without a reference forgets its level. */
  private static final Logger HELIDON = Logger.getLogger("io.helidon");

  private static final Logger LISTENER = Logger.getLogger("io.helidon.webserver.LoomServer");

  private static final Duration READ_TIMEOUT = Duration.ofSeconds(75);

  private final Core core;
  private final ApiKeys keys;
  private final WebServer web;
  private final Thread loader;
  private final Thread housekeeper;
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile @Nullable RuntimeException failure;

  /** Opens the engine; it is closed with the server. */
  public interface Loader {
    /** Opens it, with {@code listener} among those that hear of its steps and requests. */
    Engine load(EngineListener listener);

    /** What the machine can do at most, for the live view; null where it is not known. */
    default @Nullable MachineLimits limits(Engine engine) {
      return null;
    }
  }

  static {
    // Helidon says where it listens and which of its features are there; our own lines say more.
    HELIDON.setLevel(java.util.logging.Level.WARNING);
    LISTENER.setLevel(java.util.logging.Level.OFF);
  }

  private Server(ServerSettings settings, Loader load, PrintStream log) {
    keys = new ApiKeys(settings.operations().keys());
    core =
        new Core(
            settings,
            new Metrics(),
            new Log(log, settings.operations().jsonLog()),
            Tracing.fromEnvironment());
    web = config(settings, new Routes(core, keys)).build();
    loader = Thread.ofPlatform().name("ridgeline-load").daemon().unstarted(() -> load(load));
    housekeeper = Thread.ofVirtual().name("ridgeline-housekeeping").unstarted(this::keepHouse);
  }

  /**
   * Starts a server; returns as soon as it listens.
   *
   * @param log where the log goes
   * @throws IllegalArgumentException if a setting cannot be used: a key file, a certificate, an
   *     address
   */
  public static Server start(ServerSettings settings, Loader load, PrintStream log) {
    var server = new Server(settings, load, log);
    try {
      server.web.start();
    } finally {
      // Helidon logs why a port cannot be had, and goes on.
      if (!server.web.isRunning()) {
        server.core.metrics.close();
      }
    }
    if (!server.web.isRunning()) {
      throw new IllegalArgumentException(
          "cannot listen on %s:%d: the address is not this machine's, or another program listens"
                  .formatted(settings.listen().host(), settings.listen().port())
              + " there; choose another --host or --port");
    }
    server.loader.start();
    server.housekeeper.start();
    return server;
  }

  private static String rootMessage(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }

  private WebServerConfig.Builder config(ServerSettings settings, Routes routes) {
    var limits = settings.limits();
    var http1 =
        Http1ConnectionSelector.builder()
            .config(
                Http1Config.builder()
                    .maxHeadersSize(limits.headerBytes())
                    .validatePath(true)
                    .build())
            .build();
    WebServerConfig.Builder config =
        WebServer.builder()
            .address(address(settings.listen().host()))
            .port(settings.listen().port())
            .maxTcpConnections(limits.connections())
            .shutdownHook(false)
            .useNio(false)
            .shutdownGracePeriod(Duration.ofSeconds(1))
            // A request may take long without a byte to read; what is idle is closed by the read
            // timeout.
            .idleConnectionTimeout(limits.time().plusMinutes(5))
            .connectionOptions(o -> o.readTimeout(READ_TIMEOUT).tcpNoDelay(true))
            .protocolsDiscoverServices(false)
            .addConnectionSelector(new WatchedConnections(http1, core.writers))
            .directHandlers(errors(limits.headerBytes()))
            .routing(routes.routing());
    ServerSettings.TlsFiles tls = settings.listen().tls();
    if (tls != null) {
      config.tls(tls(tls));
    }
    return config;
  }

  private static InetAddress address(String host) {
    try {
      return InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(
          "--host: expected the address or name of an interface, found '" + host + "'", e);
    }
  }

  private static Tls tls(ServerSettings.TlsFiles files) {
    try {
      Keys keys =
          Keys.builder()
              .pem(
                  pem ->
                      pem.key(Resource.create(files.key()))
                          .certChain(Resource.create(files.certificates())))
              .build();
      return Tls.builder().privateKey(keys).privateKeyCertChain(keys).build();
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(
          "--tls-cert, --tls-key: cannot use %s and %s (%s); expected PEM files"
              .formatted(files.certificates(), files.key(), rootMessage(e)),
          e);
    }
  }

  /** What is wrong before a route is found, in the same form as all other errors. */
  private static DirectHandlers errors(int headerBytes) {
    String unreadable =
        "the request cannot be read: expected HTTP/1.1 with at most %d bytes of headers"
            .formatted(headerBytes);
    var handlers = DirectHandlers.builder();
    for (var type : DirectHandler.EventType.values()) {
      handlers.addHandler(
          type,
          (request, event, status, headers, message) -> {
            headers.set(io.helidon.http.HeaderNames.CONTENT_TYPE, Exchange.JSON);
            Kind kind =
                switch (status.code() / 100) {
                  case 5 -> Kind.INTERNAL;
                  default -> status.code() == 404 ? Kind.NOT_FOUND : Kind.INVALID;
                };
            boolean said =
                kind != Kind.INTERNAL
                    && message != null
                    && !message.equals("null")
                    && !message.equals(status.reasonPhrase());
            String text = kind == Kind.INVALID ? unreadable : status.reasonPhrase();
            return DirectHandler.TransportResponse.builder()
                .status(status)
                .headers(headers)
                .entity(Json.bytes(ApiException.of(kind, said ? message : text).body()))
                .keepAlive(false)
                .build();
          });
    }
    return handlers.build();
  }

  private void load(Loader load) {
    long start = System.nanoTime();
    try {
      Engine engine = load.load(core.metrics);
      core.loaded(engine, load.limits(engine));
      for (Degradation d : engine.backend().degradations()) {
        core.log.warn("slow", Map.of("name", d.name().toLowerCase(Locale.ROOT), "why", d.text()));
      }
      long loaded = System.nanoTime();
      new WarmUp(core, engine).run();
      core.metrics.count();
      core.state(Core.State.READY);
      core.log.info(
          "ready",
          Map.of(
              "model", core.model(),
              "url", url(),
              "backend", engine.backend().name(),
              "plan", engine.plan().toString(),
              "seconds", seconds(System.nanoTime() - start),
              "of_them_warm_up", seconds(System.nanoTime() - loaded)));
    } catch (RuntimeException e) {
      failure = e;
      core.state(Core.State.FAILED);
      closed.countDown();
    }
  }

  private static double seconds(long nanos) {
    return Math.round(nanos / 1e7) / 100.0;
  }

  private void keepHouse() {
    boolean stuck = false;
    while (closed.getCount() > 0) {
      try {
        Thread.sleep(500);
      } catch (InterruptedException e) {
        return;
      }
      refreshKeys();
      long limit = core.settings.limits().write().toNanos();
      int stuckClients = core.writers.closeStuck(limit);
      if (stuckClients > 0) {
        core.log.warn("slow_readers", Map.of("closed", stuckClients, "limit_seconds", limit / 1e9));
      }
      stuck = watchStep(stuck);
    }
  }

  private void refreshKeys() {
    try {
      if (keys.refresh()) {
        core.log.info("keys", Map.of("count", keys.count()));
      }
    } catch (RuntimeException e) {
      core.log.warn("keys", Map.of("kept", keys.count(), "why", String.valueOf(e.getMessage())));
    }
  }

  private boolean watchStep(boolean wasStuck) {
    Engine engine = core.engineOrNull();
    long nanos = engine == null ? 0 : engine.status().stepNanos();
    boolean stuck = nanos > core.settings.operations().stuckStep().toNanos();
    if (stuck && !wasStuck) {
      core.log.warn("stuck_step", Map.of("seconds", nanos / 1_000_000_000));
    }
    return stuck;
  }

  /** Where it listens. */
  public String url() {
    ServerSettings.Listen listen = core.settings.listen();
    return (listen.tls() == null ? "http://" : "https://") + listen.host() + ":" + web.port();
  }

  /** The port, also where any was asked for. */
  public int port() {
    return web.port();
  }

  /** Requests that have arrived and are not answered. */
  int requestsUnderWay() {
    return core.busy.get();
  }

  /** Waits until the model is ready to answer. */
  public void awaitReady() throws InterruptedException {
    loader.join();
    rethrow();
  }

  /** Waits until the server is closed; throws what kept the model from being loaded. */
  public void awaitClosed() throws InterruptedException {
    closed.await();
    rethrow();
  }

  private void rethrow() {
    RuntimeException e = failure;
    if (e != null) {
      throw e;
    }
  }

  /**
   * Takes no further requests, lets those that run finish for as long as the settings say, then
   * ends.
   */
  @Override
  public void close() {
    core.state(Core.State.DRAINING);
    long end = System.nanoTime() + core.settings.operations().drain().toNanos();
    try {
      if (core.busy.get() > 0) {
        core.log.info("drain", Map.of("requests", core.busy.get()));
      }
      while (core.busy.get() > 0 && System.nanoTime() < end) {
        Thread.sleep(20);
      }
      loader.join(Duration.ofSeconds(1));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Engine engine = core.engineOrNull();
    if (engine != null) {
      engine.close(); // what still runs ends, and is told so
    }
    web.stop();
    core.metrics.close();
    core.log.info("closed", Map.of());
    closed.countDown();
  }
}
