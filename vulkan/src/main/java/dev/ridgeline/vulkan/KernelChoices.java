package dev.ridgeline.vulkan;

import static java.util.stream.Collectors.joining;

import dev.ridgeline.backend.DeviceReport.KernelChoice;
import dev.ridgeline.vulkan.device.DeviceInfo;
import dev.ridgeline.vulkan.device.DeviceInfo.Feature;
import dev.ridgeline.vulkan.device.DeviceInfo.MatrixShape;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which kernels of the table a device gets for products and attention, in words. */
final class KernelChoices {
  private static final int FEW = Products.MAX_VEC_TOKENS;

  private KernelChoices() {}

  /** With the layout of the device's matrices, null where it is not known. */
  static List<KernelChoice> of(DeviceInfo device, @Nullable MatrixLayout layout) {
    var choices = new ArrayList<KernelChoice>();
    String int8 =
        device.features().contains(Feature.INTEGER_DOT)
            ? "activations as int8: the device has integer dot products"
            : "activations as int8: fewer bytes, though the device emulates integer dot products";
    String known = "it is known which elements of a matrix an invocation holds";
    if (layout != null) {
      int from = MatrixProducts.FROM;
      choices.add(quantized(1, from - 1, "mul_mat_vec_q", int8));
      choices.add(
          quantized(
              from,
              MatrixProducts.MAX_DECODED,
              "mul_mat_matrix_q",
              "weights decoded in registers: " + known));
    } else {
      choices.add(
          quantized(1, FEW, "mul_mat_vec_q", int8 + "; mul_mat_matrix_q only where " + known));
    }
    choices.add(
        new KernelChoice(
            "F32, F16 and BF16 weights, 1 to %d tokens".formatted(FEW),
            "mul_mat_vec",
            "float32 sums, exact products"));
    choices.add(manyTokens(device));
    choices.add(
        new KernelChoice(
            "F32 and BF16 weights, more tokens",
            "mul_mat",
            "float32 tiles: float16 would lose digits or range"));
    choices.add(
        new KernelChoice(
            "attention, 1 to %d tokens, %d in contexts of up to %d"
                .formatted(FEW, StepShape.MAX_ROWS, StepShape.MAX_ROWS_LENGTH),
            "attend",
            "query heads of a KV head together, positions cut into parts"));
    if (layout != null) {
      String heads = Kernel.ATTEND_DIMS.stream().map(String::valueOf).collect(joining(", "));
      choices.add(
          new KernelChoice(
              "attention, more tokens, F16 KV, heads of " + heads,
              "attend_matrix",
              "cooperative matrices, queries and weights as two float16 each"));
    }
    choices.add(
        new KernelChoice(
            layout == null ? "attention, more tokens" : "other attention, more tokens",
            "attend_tile",
            "tiles of queries in float32"
                + (layout == null ? "; attend_matrix only where " + known : "")));
    return List.copyOf(choices);
  }

  private static KernelChoice quantized(int from, int to, String kernel, String why) {
    return new KernelChoice("quantized weights, %d to %d tokens".formatted(from, to), kernel, why);
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
