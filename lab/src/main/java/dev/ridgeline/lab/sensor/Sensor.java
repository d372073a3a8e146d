package dev.ridgeline.lab.sensor;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A device whose temperature or clock can be read. */
public interface Sensor extends AutoCloseable {
  /** What it says now; a few milliseconds at most. */
  Reading read();

  @Override
  default void close() {}

  /** Every sensor of this machine: the processor, AMD GPUs, NVIDIA GPUs. */
  static List<Sensor> all() {
    List<Sensor> all = new ArrayList<>();
    all.add(new ProcessorSensor());
    all.addAll(AmdGpuSensor.find(Path.of("/sys/class/drm")));
    all.addAll(NvidiaSensor.find());
    return all;
  }

  /** One sensor that reads all of {@code sensors} in turn. */
  static List<Reading> read(List<Sensor> sensors) {
    return sensors.stream().map(Sensor::read).filter(r -> !r.isEmpty()).toList();
  }
}
