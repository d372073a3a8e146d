package dev.ridgeline.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** {@code ridgeline serve} with the built-in model as a process of its own. */
final class ServerProcess {
  private ServerProcess() {}

  /**
   * Starts one on {@code port} of loopback.
   *
   * @param log what it writes
   * @param environment variables besides the usual ones
   * @param options of the command
   */
  static Process start(int port, Path log, Map<String, String> environment, String... options)
      throws IOException {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "--add-modules",
            "jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-XX:+UseSerialGC",
            "-Xmx300m",
            "-cp",
            System.getProperty("java.class.path"),
            "dev.ridgeline.cli.Main",
            "serve",
            "-m",
            TestServer.MODEL.toString(),
            "--threads",
            "1",
            "--parallel",
            "4",
            "--port",
            String.valueOf(port)));
    command.addAll(List.of(options));
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    return builder.redirectOutput(log.toFile()).start();
  }
}
