package dev.ridgeline.cpu.machine;

import dev.ridgeline.cpu.kernel.ProductKernel;
import dev.ridgeline.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/**
 * The machine-code kernels that this machine can run. They are made once and stay until the process
 * ends.
 *
 * @param instructions what they use, for people: {@code "AMX"}; or why there are none
 * @param kernels at most one for a format and number of tokens
 */
public record MachineKernels(String instructions, List<ProductKernel> kernels) {
  /** Copies the list. */
  public MachineKernels {
    kernels = List.copyOf(kernels);
  }

  /** Looks at the machine at the first call. */
  public static MachineKernels find() {
    return Found.KERNELS;
  }

  private static final class Found {
    static final MachineKernels KERNELS = look();
  }

  private static MachineKernels look() {
    if (!CpuFeatures.isSupportedSystem()) {
      return new MachineKernels("machine code is for Linux on x86-64 only", List.of());
    }
    try {
      CpuFeatures features = CpuFeatures.detect();
      if (features.amxBf16() && CpuFeatures.requestTiles()) {
        return new MachineKernels("AMX", amx());
      }
      return new MachineKernels("the processor has no AMX", List.of());
    } catch (UnsupportedOperationException e) {
      return new MachineKernels(String.valueOf(e.getMessage()), List.of());
    }
  }

  private static List<ProductKernel> amx() {
    AmxPacking[] ofParts = {new AmxPacking(1), new AmxPacking(2)};
    var kernels = new ArrayList<ProductKernel>();
    for (DType type : DType.values()) {
      if (type.isWeight() && type != DType.F32) {
        kernels.add(new AmxKernel(type, ofParts[AmxKernel.activationParts(type) - 1]));
      }
    }
    return kernels;
  }
}
