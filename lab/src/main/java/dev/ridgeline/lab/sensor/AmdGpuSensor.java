package dev.ridgeline.lab.sensor;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An AMD GPU under Linux: the files of the amdgpu driver's hwmon folder ({@code temp1_input} in
 * millidegrees, {@code freq1_input} in hertz, {@code power1_average} or {@code power1_input} in
 * microwatts).
 *
 * <p>Source: the Linux kernel's {@code Documentation/gpu/amdgpu/thermal.rst}.
 */
final class AmdGpuSensor implements Sensor {
  private static final String AMD = "0x1002";

  private final String name;
  private final Path hwmon;

  private AmdGpuSensor(String name, Path hwmon) {
    this.name = name;
    this.hwmon = hwmon;
  }

  /** The AMD GPUs below {@code drm}, which is {@code /sys/class/drm} outside of tests. */
  static List<Sensor> find(Path drm) {
    List<Sensor> found = new ArrayList<>();
    try (DirectoryStream<Path> cards = Files.newDirectoryStream(drm, "card[0-9]*")) {
      for (Path card : cards) {
        Path device = card.resolve("device");
        String vendor = text(device.resolve("vendor"));
        if (AMD.equals(vendor) && Files.isDirectory(device.resolve("hwmon"))) {
          try (DirectoryStream<Path> folders = Files.newDirectoryStream(device.resolve("hwmon"))) {
            folders.forEach(h -> found.add(new AmdGpuSensor(card.getFileName() + " (amdgpu)", h)));
          }
        }
      }
    } catch (IOException e) {
      // No such folder: no such GPU.
    }
    return found;
  }

  @Override
  public Reading read() {
    Double watts = number("power1_average", 1e6);
    return new Reading(
        name,
        number("temp1_input", 1e3),
        number("freq1_input", 1e6),
        watts == null ? number("power1_input", 1e6) : watts,
        List.of());
  }

  private @Nullable Double number(String file, double unit) {
    String text = text(hwmon.resolve(file));
    return text == null || !text.matches("-?\\d+") ? null : Double.parseDouble(text) / unit;
  }

  private static @Nullable String text(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      return null;
    }
  }
}
