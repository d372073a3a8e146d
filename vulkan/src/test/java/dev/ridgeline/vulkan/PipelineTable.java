package dev.ridgeline.vulkan;

import dev.ridgeline.vulkan.device.GpuDevice;
import dev.ridgeline.vulkan.device.VulkanInstance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a device's compiler made of the pipelines of {@link ModelPipelines}, for {@code
 * dev/vulkan-matrix}. Nothing need run, so that a compiler without a device is enough.
 */
final class PipelineTable {
  /** Statistics as AMD's driver names them, and their columns. */
  private static final Map<String, String> COLUMNS = new LinkedHashMap<>();

  static {
    COLUMNS.put("VGPRs", "VGPRs");
    COLUMNS.put("SGPRs", "SGPRs");
    COLUMNS.put("LDS size", "LDS bytes");
    COLUMNS.put("Subgroups per SIMD", "subgroups a SIMD");
    COLUMNS.put("Code size", "code bytes");
  }

  private static final List<String> SPILLS =
      List.of("Spilled SGPRs", "Spilled VGPRs", "Scratch size");

  private PipelineTable() {}

  /**
   * {@code compile FILE}: compiles on device 0 and writes a line a pipeline; exits with 1 if one
   * spills. {@code join FILE...}: prints the files of several devices as one Markdown table.
   */
  public static void main(String[] args) throws IOException {
    switch (args[0]) {
      case "compile" -> System.exit(compile(Path.of(args[1])) == 0 ? 0 : 1);
      case "join" -> join(Arrays.stream(args).skip(1).map(Path::of).toList());
      default -> throw new IllegalArgumentException(args[0]);
    }
  }

  private static int compile(Path to) throws IOException {
    var lines = new ArrayList<String>();
    int spilled = 0;
    try (VulkanInstance instance = VulkanInstance.open(false);
        GpuDevice device = instance.device(0)) {
      for (ModelPipelines.Use use : ModelPipelines.compile(device)) {
        Map<String, String> said = device.statistics(use.pipeline());
        if (!said.containsKey(SPILLS.getFirst())) {
          throw new IllegalStateException(device.info() + " says only " + said);
        }
        int spills = SPILLS.stream().mapToInt(s -> Integer.parseInt(said.get(s))).sum();
        if (spills > 0) {
          spilled++;
          System.err.println("spills: " + use + " " + said);
        }
        String all =
            said.entrySet().stream()
                .map(e -> e.getKey() + "=" + e.getValue())
                .collect(Collectors.joining("\t"));
        lines.add(use.pipeline() + "\t" + use.model() + ", " + use.tokens() + "\t" + all);
      }
      System.err.printf(
          "%s: %d pipelines, %d spill%n", device.info().name(), lines.size(), spilled);
    }
    Files.write(to, lines);
    return spilled;
  }

  /** Cells with one number where all devices agree, else theirs in order, - for none. */
  private static void join(List<Path> files) throws IOException {
    List<Map<String, String[]>> devices = new ArrayList<>();
    Map<String, String> wanted = new LinkedHashMap<>();
    for (Path file : files) {
      var device = new LinkedHashMap<String, String[]>();
      for (String line : Files.readAllLines(file)) {
        String[] fields = line.split("\t");
        device.put(fields[0], fields);
        wanted.putIfAbsent(fields[0], fields[1]);
      }
      devices.add(device);
    }
    System.out.println(
        "| pipeline | first wanted by | " + String.join(" | ", COLUMNS.values()) + " |");
    System.out.println("|---|---|" + "--:|".repeat(COLUMNS.size()));
    wanted.forEach(
        (pipeline, use) ->
            System.out.println(
                "| `%s` | %s | %s |"
                    .formatted(
                        pipeline,
                        use,
                        COLUMNS.keySet().stream()
                            .map(column -> cell(devices, pipeline, column))
                            .collect(Collectors.joining(" | ")))));
  }

  private static String cell(List<Map<String, String[]>> devices, String pipeline, String column) {
    List<String> values =
        devices.stream()
            .map(
                d ->
                    Arrays.stream(d.getOrDefault(pipeline, new String[0]))
                        .filter(f -> f.startsWith(column + "="))
                        .map(f -> f.substring(column.length() + 1))
                        .findFirst()
                        .orElse("-"))
            .toList();
    return values.stream().distinct().count() == 1 ? values.getFirst() : String.join(" / ", values);
  }
}
