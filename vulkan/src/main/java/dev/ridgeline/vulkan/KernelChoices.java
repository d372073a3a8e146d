package dev.ridgeline.vulkan;

import dev.ridgeline.backend.DeviceReport.KernelChoice;
import dev.ridgeline.vulkan.device.DeviceInfo;
import dev.ridgeline.vulkan.device.DeviceInfo.Feature;
import dev.ridgeline.vulkan.device.DeviceInfo.MatrixShape;
import java.util.List;

/** Which kernels of the table a device gets for products and attention, in words. */
final class KernelChoices {
  private static final int FEW = Products.MAX_VEC_TOKENS;

  private KernelChoices() {}

  static List<KernelChoice> of(DeviceInfo device) {
    return List.of(
        new KernelChoice(
            "quantized weights, 1 to %d tokens".formatted(FEW),
            "mul_mat_vec_q",
            device.features().contains(Feature.INTEGER_DOT)
                ? "activations as int8: the device has integer dot products"
                : "activations as int8: fewer bytes, though the device emulates integer dot products"),
        new KernelChoice(
            "F32, F16 and BF16 weights, 1 to %d tokens".formatted(FEW),
            "mul_mat_vec",
            "float32 sums, exact products"),
        manyTokens(device),
        new KernelChoice(
            "F32 and BF16 weights, more tokens",
            "mul_mat",
            "float32 tiles: float16 would lose digits or range"),
        new KernelChoice(
            "attention, 1 to %d tokens".formatted(FEW),
            "attend",
            "query heads of a KV head together, positions cut into parts"),
        new KernelChoice(
            "attention, more tokens",
            "attend_tile",
            "tiles of queries in float32; attend_matrix where the layout of matrices is known"));
  }

  private static KernelChoice manyTokens(DeviceInfo device) {
    String work = "quantized and F16 weights, more tokens";
    MatrixShape shape = device.matrixShape();
    if (shape != null && MatrixProducts.has(device)) {
      return new KernelChoice(
          work,
          Kernel.matrix(shape, 128, 32, false).source().replace(".comp", ""),
          "cooperative matrices of %dx%dx%d by %d invocations, float16 with float32 sums"
              .formatted(shape.m(), shape.n(), shape.k(), shape.lanes()));
    }
    return new KernelChoice(
        work,
        "mul_mat",
        shape == null
            ? "float32 tiles: the device has no cooperative matrices of float16 with float32 sums"
            : "float32 tiles: no kernel for matrices of %dx%dx%d by %d invocations, or too little shared memory"
                .formatted(shape.m(), shape.n(), shape.k(), shape.lanes()));
  }
}
