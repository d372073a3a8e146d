package dev.ridgeline.cli;

import picocli.CommandLine.IVersionProvider;

/** Version of Ridgeline and of the JVM it runs on. */
final class Version implements IVersionProvider {
  /** Ridgeline's version, from the jar's manifest. */
  static String ridgeline() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "unpackaged" : version;
  }

  @Override
  public String[] getVersion() {
    return new String[] {
      "ridgeline " + ridgeline(), System.getProperty("java.vm.name") + " " + Runtime.version(),
    };
  }
}
