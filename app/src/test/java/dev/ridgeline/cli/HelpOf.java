package dev.ridgeline.cli;

import java.util.Objects;

/** What commands say of themselves, for tests elsewhere. */
public final class HelpOf {
  private HelpOf() {}

  /** The usage of {@code command} with all its options. */
  public static String command(String command) {
    var subcommands = Main.commandLine(command).getSubcommands();
    return Objects.requireNonNull(subcommands.get(command), command).getUsageMessage();
  }
}
