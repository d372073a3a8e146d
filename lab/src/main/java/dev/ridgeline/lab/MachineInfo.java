package dev.ridgeline.lab;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import oshi.SystemInfo;
import oshi.hardware.HardwareAbstractionLayer;

/**
 * The machine and the program that measured.
 *
 * @param os name, version, architecture
 * @param cpu the processor's name
 * @param processors logical processors that the process may use
 * @param memoryBytes physical memory
 * @param jvm name and version
 * @param ridgeline version of the program
 * @param commit what it was built from; {@code unknown} outside a git checkout
 */
public record MachineInfo(
    String os,
    String cpu,
    int processors,
    long memoryBytes,
    String jvm,
    String ridgeline,
    String commit) {

  /** This machine. */
  public static MachineInfo here() {
    HardwareAbstractionLayer hardware = new SystemInfo().getHardware();
    return new MachineInfo(
        "%s %s %s"
            .formatted(
                System.getProperty("os.name"),
                System.getProperty("os.version"),
                System.getProperty("os.arch")),
        hardware.getProcessor().getProcessorIdentifier().getName().strip(),
        Runtime.getRuntime().availableProcessors(),
        hardware.getMemory().getTotal(),
        System.getProperty("java.vm.name") + " " + Runtime.version(),
        programVersion(),
        builtFrom());
  }

  private static String programVersion() {
    String version = MachineInfo.class.getPackage().getImplementationVersion();
    return version == null ? "unpackaged" : version;
  }

  /** Abbreviated, with {@code +changes} where the build had files that were not committed. */
  private static String builtFrom() {
    try (InputStream in = MachineInfo.class.getResourceAsStream("git.properties")) {
      if (in == null) {
        return "unknown";
      }
      var git = new Properties();
      git.load(in);
      String id = git.getProperty("git.commit.id.abbrev", "unknown");
      return Boolean.parseBoolean(git.getProperty("git.dirty")) ? id + "+changes" : id;
    } catch (IOException e) {
      return "unknown";
    }
  }
}
