package dev.ridgeline.cli;

/** What commands say of themselves, for tests elsewhere. */
public final class HelpOf {
  private HelpOf() {}

  /** The usage of {@code command} with all its options. */
  public static String command(String command) {
    return Main.commandLine(command).getSubcommands().get(command).getUsageMessage();
  }
}
