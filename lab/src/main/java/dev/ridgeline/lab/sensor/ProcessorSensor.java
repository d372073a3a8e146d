package dev.ridgeline.lab.sensor;

import java.util.Arrays;
import java.util.List;
import oshi.SystemInfo;
import oshi.hardware.CentralProcessor;
import oshi.hardware.Sensors;

/** The processor, as OSHI reads it on every operating system. */
final class ProcessorSensor implements Sensor {
  private final CentralProcessor processor = new SystemInfo().getHardware().getProcessor();
  private final Sensors sensors = new SystemInfo().getHardware().getSensors();

  @Override
  public Reading read() {
    double celsius = sensors.getCpuTemperature();
    double hertz = Arrays.stream(processor.getCurrentFreq()).average().orElse(0);
    return new Reading(
        "cpu",
        // OSHI says 0 or NaN for what it cannot read.
        celsius > 0 ? celsius : null,
        hertz > 0 ? hertz / 1e6 : null,
        null,
        List.of());
  }
}
