package dev.ridgeline.lab.sensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AmdGpuSensorTest {
  @TempDir private Path drm = Path.of("");

  private Path card(String name, String vendor) throws IOException {
    Path hwmon =
        Files.createDirectories(
            drm.resolve(name).resolve("device").resolve("hwmon").resolve("hwmon3"));
    Files.writeString(drm.resolve(name).resolve("device").resolve("vendor"), vendor + "\n");
    return hwmon;
  }

  @Test
  void theDriversFilesAreReadInTheirUnits() throws IOException {
    Path hwmon = card("card0", "0x1002");
    Files.writeString(hwmon.resolve("temp1_input"), "61000\n");
    Files.writeString(hwmon.resolve("freq1_input"), "2400000000\n");
    Files.writeString(hwmon.resolve("power1_average"), "150500000\n");

    assertThat(AmdGpuSensor.find(drm))
        .singleElement()
        .extracting(Sensor::read)
        .isEqualTo(new Reading("card0 (amdgpu)", 61.0, 2400.0, 150.5, List.of()));
  }

  @Test
  void whatIsMissingIsNotMadeUpAndOtherVendorsAreLeftAlone() throws IOException {
    card("card0", "0x1002");
    card("card1", "0x10de");

    assertThat(AmdGpuSensor.find(drm)).singleElement().matches(s -> s.read().isEmpty());
    assertThat(AmdGpuSensor.find(drm.resolve("nowhere"))).isEmpty();
  }
}
