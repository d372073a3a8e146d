package dev.ridgeline.vulkan;

import static java.util.Objects.requireNonNull;

import dev.ridgeline.tensor.DType;
import dev.ridgeline.vulkan.device.DeviceInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** A kernel with constants as models of 1 B to 27 B use it. */
record PipelineUse(Kernel kernel, int... constants) {
  static List<PipelineUse> all(DeviceInfo info) {
    var uses = new ArrayList<PipelineUse>();
    for (DType type : quantized()) {
      Kernel kernel = Kernel.of("mul_mat_vec_q", type);
      uses.add(new PipelineUse(kernel, 256, 1, 1, 0, 0, 0, 0, 0, 256, 4, 1, 1));
      uses.add(new PipelineUse(kernel, 256, 1, 4, 0, 0, 0, 2, 0, 4096, 2, 2, 2));
      uses.add(new PipelineUse(kernel, 256, 1, 4, 1, 0, 0, 2, 1, 4096, 2, 1, 1));
      uses.add(new PipelineUse(kernel, 256, 1, 4, 2, 0, 0, 3, 1, 5376, 2, 1, 1));
      uses.add(new PipelineUse(kernel, 256, 4, 4, 1, 0, 0, 0, 1, 256, 1, 2, 8));
      uses.add(new PipelineUse(kernel, 256, 12, 4, 0, 0, 0, 0, 0, 256, 1, 4, 64));
      uses.add(new PipelineUse(kernel, 256, 12, 4, 1, 0, 0, 0, 1, 256, 1, 2, 32));
      uses.add(new PipelineUse(kernel, 256, 1, 1, 0, 0, 4, 0, 0, 256, 4, 1, 1));
      uses.add(new PipelineUse(Kernel.of("dequantize", type), 256));
      uses.add(new PipelineUse(Kernel.of("get_rows", type), 64));
      uses.add(new PipelineUse(Kernel.of("mul_mat", type), 256, 1, 1, 0, 0));
    }
    for (DType type : List.of(DType.F32, DType.F16, DType.BF16)) {
      uses.add(new PipelineUse(Kernel.of("mul_mat_vec", type), 128, 8, 1, 0, 0));
      uses.add(new PipelineUse(Kernel.of("mul_mat", type), 256, 1, 1, 0, 0));
    }
    for (int q8 = 0; q8 < 2; q8++) {
      uses.add(new PipelineUse(Kernel.plain("attend"), 256, q8, 128, 128, 0, 4, 1, 32));
      uses.add(new PipelineUse(Kernel.plain("attend"), 256, q8, 256, 256, 1, 2, 1, 32));
      uses.add(new PipelineUse(Kernel.plain("attend_tile"), 256, q8, 128, 128, 0, 32, 32));
      uses.add(new PipelineUse(Kernel.plain("attend_tile"), 256, q8, 256, 256, 1, 16, 16));
      uses.add(new PipelineUse(Kernel.plain("heads"), 256, q8, 128, 128, 1, 128, 1, 1));
    }
    for (int form = 1; form < 3; form++) {
      uses.add(new PipelineUse(Kernel.plain("norm_row"), 256, 5376, 3, form, 0));
    }
    for (int round = 0; round < 2; round++) {
      uses.add(new PipelineUse(Kernel.plain("argmax"), 256, round));
    }
    for (String plain :
        List.of("quantize_x", "to_half", "rms_norm", "elementwise", "rope", "store_kv")) {
      uses.add(new PipelineUse(Kernel.plain(plain), 256, 0));
    }
    if (MatrixProducts.has(info)) {
      uses.addAll(matrices(info));
    }
    return uses;
  }

  private static List<PipelineUse> matrices(DeviceInfo info) {
    return Stream.of(false, true)
        .flatMap(
            gated ->
                Stream.of(64, 128)
                    .map(
                        wide ->
                            new PipelineUse(
                                Kernel.matrix(requireNonNull(info.matrixShape()), wide, 64, gated),
                                256,
                                gated ? 1 : 0,
                                0,
                                0,
                                2)))
        .toList();
  }

  private static List<DType> quantized() {
    return Arrays.stream(DType.values()).filter(DType::isQuantized).toList();
  }

  @Override
  public String toString() {
    return kernel.name() + Arrays.toString(constants);
  }
}
