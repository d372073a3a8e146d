package dev.ridgeline.vulkan.device;

import static org.lwjgl.util.shaderc.Shaderc.*;

import java.nio.ByteBuffer;
import java.util.Map;

/** GLSL to SPIR-V; only while building, since shaderc does not travel with the program. */
public final class ShaderCompiler implements AutoCloseable {
  private final long compiler = shaderc_compiler_initialize();

  /**
   * Compiles a compute shader for Vulkan 1.3, optimized for speed.
   *
   * @param name for messages
   * @param source with its includes already in place
   * @param defines name to value
   * @throws VulkanException with the compiler's messages
   */
  public byte[] compile(String name, String source, Map<String, String> defines) {
    long options = shaderc_compile_options_initialize();
    long result = 0;
    try {
      shaderc_compile_options_set_target_env(
          options, shaderc_target_env_vulkan, shaderc_env_version_vulkan_1_3);
      shaderc_compile_options_set_optimization_level(
          options, shaderc_optimization_level_performance);
      shaderc_compile_options_set_warnings_as_errors(options);
      defines.forEach(
          (key, value) -> shaderc_compile_options_add_macro_definition(options, key, value));
      result =
          shaderc_compile_into_spv(
              compiler, source, shaderc_glsl_compute_shader, name, "main", options);
      if (shaderc_result_get_compilation_status(result) != shaderc_compilation_status_success) {
        throw new VulkanException(name + ": " + shaderc_result_get_error_message(result));
      }
      ByteBuffer spirv = shaderc_result_get_bytes(result);
      if (spirv == null) {
        throw new VulkanException(name + ": no output");
      }
      byte[] bytes = new byte[spirv.remaining()];
      spirv.get(bytes);
      return bytes;
    } finally {
      if (result != 0) {
        shaderc_result_release(result);
      }
      shaderc_compile_options_release(options);
    }
  }

  @Override
  public void close() {
    shaderc_compiler_release(compiler);
  }
}
