package dev.ridgeline.vulkan;

import dev.ridgeline.vulkan.device.GpuDevice;
import dev.ridgeline.vulkan.device.GpuPipeline;
import dev.ridgeline.vulkan.device.VulkanInstance;
import java.util.Map;
import java.util.Objects;

/**
 * Compiles the pipelines of models of 1 B to 27 B on device 0 and prints what its compiler says of
 * each, as rows of a Markdown table; exits with 1 if one spills. Nothing runs, so that a compiler
 * without a device is enough ({@code dev/vulkan-matrix}).
 */
final class PipelineTable {
  private PipelineTable() {}

  /** With an argument, all statistics of the pipelines whose names contain it. */
  public static void main(String[] args) {
    int spilled = 0;
    try (VulkanInstance instance = VulkanInstance.open(false);
        GpuDevice device = instance.device(0)) {
      var pipelines = new Pipelines(device);
      for (PipelineUse use : PipelineUse.all(device.info())) {
        if (args.length > 0 && !use.toString().contains(args[0])) {
          continue;
        }
        GpuPipeline pipeline = pipelines.get(use.kernel(), use.constants());
        Map<String, String> said = device.statistics(pipeline);
        if (args.length > 0) {
          System.out.println(pipeline + " " + said);
          continue;
        }
        int spills =
            number(said, "Spilled SGPRs")
                + number(said, "Spilled VGPRs")
                + number(said, "Scratch size");
        spilled += spills > 0 ? 1 : 0;
        System.out.printf(
            "| `%s` | %s | %s | %s | %s | %s | %d |%n",
            pipeline,
            said.getOrDefault("VGPRs", "-"),
            said.getOrDefault("SGPRs", "-"),
            said.getOrDefault("LDS size", "-"),
            said.getOrDefault("Subgroups per SIMD", "-"),
            said.getOrDefault("Code size", "-"),
            spills);
      }
      if (spilled > 0) {
        System.err.println(spilled + " pipelines spill");
      }
    }
    System.exit(spilled == 0 ? 0 : 1);
  }

  private static int number(Map<String, String> said, String name) {
    return Integer.parseInt(Objects.requireNonNullElse(said.get(name), "0"));
  }
}
