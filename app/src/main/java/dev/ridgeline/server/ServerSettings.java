package dev.ridgeline.server;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the server listens, what it accepts and how it is run.
 *
 * @param listen where
 * @param limits of requests
 * @param admission of the queue
 * @param operations keys, logs, shutdown
 * @param models names under which clients may ask for the model; the first is the one it shows
 */
public record ServerSettings(
    Listen listen, Limits limits, Admission admission, Operations operations, List<String> models) {

  /** Loopback, port 8080, no key. */
  public static final ServerSettings DEFAULTS =
      new ServerSettings(
          new Listen("127.0.0.1", 8080, List.of(), null),
          Limits.DEFAULTS,
          Admission.DEFAULTS,
          Operations.DEFAULTS,
          List.of());

  /** Keeps a copy. */
  public ServerSettings {
    models = List.copyOf(models);
  }

  /**
   * Where the server listens.
   *
   * @param host address or name of an interface
   * @param port 0 = any that is free
   * @param origins origins that browsers may call from (CORS); {@code *} = all
   * @param tls certificate and key; null = plain HTTP
   */
  public record Listen(String host, int port, List<String> origins, @Nullable TlsFiles tls) {
    /** Checks the port. */
    public Listen {
      origins = List.copyOf(origins);
      require(port >= 0 && port <= 65535, "--port", "0 to 65535", port);
    }
  }

  /**
   * PEM files.
   *
   * @param certificates the server's own first
   * @param key in PKCS#8, without a password
   */
  public record TlsFiles(Path certificates, Path key) {}

  /**
   * What a request may ask for.
   *
   * @param bodyBytes size of a request's body
   * @param headerBytes size of its headers
   * @param choices most answers to one request: {@code n} times the prompts
   * @param time longest time from arrival to the last token
   * @param write how long a client may not read what is sent to it
   * @param connections open at the same time
   */
  public record Limits(
      int bodyBytes, int headerBytes, int choices, Duration time, Duration write, int connections) {
    /** 16 MB, 16 kB, 128 answers, an hour, half a minute, 4,096 connections. */
    public static final Limits DEFAULTS =
        new Limits(16 << 20, 16 << 10, 128, Duration.ofHours(1), Duration.ofSeconds(30), 4096);

    /** Checks every range. */
    public Limits {
      require(bodyBytes > 0, "--max-body", "1 or more", bodyBytes);
      require(headerBytes >= 512, "headerBytes", "512 or more", headerBytes);
      require(choices > 0, "--max-choices", "1 or more", choices);
      require(time.isPositive(), "--max-time", "a positive time", time);
      require(write.isPositive(), "write", "a positive time", write);
      require(connections > 0, "connections", "1 or more", connections);
    }
  }

  /**
   * What may wait.
   *
   * @param requests sequences that wait for a place in the batch
   * @param tokens prompt tokens of these, all together
   * @param age how long one may wait
   */
  public record Admission(int requests, long tokens, Duration age) {
    /** 256 requests, 4 million tokens, a minute. */
    public static final Admission DEFAULTS = new Admission(256, 4_000_000, Duration.ofMinutes(1));

    /** Checks every range. */
    public Admission {
      require(requests >= 0, "--queue-requests", "0 or more", requests);
      require(tokens >= 0, "--queue-tokens", "0 or more", tokens);
      require(age.isPositive(), "--queue-age", "a positive time", age);
    }
  }

  /**
   * How it is run.
   *
   * @param keys file of API keys; null = everybody may ask
   * @param logPrompts whether prompts and answers go to the log
   * @param jsonLog whether the log is JSON, one object a line
   * @param drain how long running requests get to finish when the server is told to stop
   * @param stuckStep how long a step may take before the server says that it is not alive
   */
  public record Operations(
      @Nullable Path keys,
      boolean logPrompts,
      boolean jsonLog,
      Duration drain,
      Duration stuckStep) {
    /** No keys, no prompts in the log, half a minute to drain, two minutes a step. */
    public static final Operations DEFAULTS =
        new Operations(null, false, false, Duration.ofSeconds(30), Duration.ofMinutes(2));

    /** Checks every range. */
    public Operations {
      require(!drain.isNegative(), "--drain", "0 or more", drain);
      require(stuckStep.isPositive(), "--stuck-step", "a positive time", stuckStep);
    }
  }

  private static void require(boolean valid, String what, String expected, Object found) {
    if (!valid) {
      throw new IllegalArgumentException(
          "%s: expected %s, found %s".formatted(what, expected, found));
    }
  }
}
