package dev.ridgeline.cli;

import dev.ridgeline.backend.BackendOptions;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Which GPUs, and how many layers they get. */
final class DeviceArguments {
  /** A number of layers, or as many as fit. */
  static final class Layers implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String value) {
      if (value.equals("auto")) {
        return BackendOptions.AUTO_LAYERS;
      }
      if (value.matches("\\d{1,6}")) {
        return Integer.valueOf(value);
      }
      throw new TypeConversionException(
          "expected a number of layers or auto, found '" + value + "'");
    }
  }

  @Option(
      names = "--device",
      split = ",",
      paramLabel = "N",
      description =
          "Which GPU, as doctor counts them; several, such as 0,1, share the layers. Default: the"
              + " first that has room, else all of them.")
  private List<Integer> devices = List.of();

  @Option(
      names = "--gpu-layers",
      paramLabel = "N",
      converter = Layers.class,
      description =
          "Layers that run on GPUs, the last ones of the model; the rest runs on the processor."
              + " auto: as many as fit. Default: auto.")
  private int layers = BackendOptions.AUTO_LAYERS;

  BackendOptions options(int threads) {
    return new BackendOptions(threads, devices, layers);
  }
}
