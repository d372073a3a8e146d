package dev.ridgeline.cpu.machine;

import dev.ridgeline.cpu.kernel.GateKernel;
import dev.ridgeline.cpu.kernel.ProductKernel;
import dev.ridgeline.cpu.kernel.RowAttention;
import dev.ridgeline.cpu.kernel.RowDecoder;
import dev.ridgeline.cpu.kernel.RowKernel;
import dev.ridgeline.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The machine-code kernels that this machine can run. They are made once and stay until the process
 * ends.
 *
 * @param instructions what they use, for people: {@code "AVX-512 VNNI"}; or why there are none
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

  /** The gates; only where there are kernels. */
  public GateKernel gates() {
    return Gates.GATES;
  }

  /** Attention to values of so many elements, or null if there is no code for it. */
  public @Nullable RowAttention attention(int valueDim) {
    return MachineAttention.suits(valueDim)
        ? ATTENTION.computeIfAbsent(valueDim, MachineAttention::new)
        : null;
  }

  private static final Map<Integer, RowAttention> ATTENTION = new ConcurrentHashMap<>();

  /** Work on rows; only where there are kernels. */
  public RowKernel rows() {
    return Rows.ROWS;
  }

  /** Decodes rows of {@code type}; only where there are kernels. */
  public RowDecoder decoder(DType type) {
    return DECODERS.computeIfAbsent(
        type,
        _ ->
            kernels.stream()
                .filter(k -> k.type() == type && k instanceof VnniKernel)
                .findFirst()
                .map(k -> ((VnniKernel) k).decoder())
                .orElseGet(() -> new PlainDecoder(type)));
  }

  private static final Map<DType, RowDecoder> DECODERS = new ConcurrentHashMap<>();

  private static final class Gates {
    static final GateKernel GATES = new MachineGate();
  }

  private static final class Rows {
    static final RowKernel ROWS = new MachineRows();
  }

  /** Operations of one iteration of {@link #multiplyAdd}: 24 chains of 64 multiply-adds. */
  public static final long PROBE_OPERATIONS = 24 * 64 * 2;

  /** Multiplies and adds bytes in registers, so often; only where there are kernels. */
  public void multiplyAdd(int iterations) {
    Probe.CODE.call(iterations, 0, 0, 0, 0, 0);
  }

  private static final class Probe {
    static final NativeCode CODE = NativeCode.install("int8_probe", emit());

    private static byte[] emit() {
      var a = new Assembler();
      a.loop(
          Gpr.RDI,
          () -> {
            for (int i = 0; i < 24; i++) {
              a.op(Instruction.VPDPBUSD, Operand.zmm(i), Operand.zmm(30), Operand.zmm(31));
            }
          });
      a.vzeroupper();
      a.ret();
      return a.finish();
    }
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
      return features.vnni()
          ? new MachineKernels("AVX-512 VNNI", vnni())
          : new MachineKernels("the processor has no AVX-512 VNNI", List.of());
    } catch (UnsupportedOperationException e) {
      return new MachineKernels(String.valueOf(e.getMessage()), List.of());
    }
  }

  private static List<ProductKernel> vnni() {
    var packing = new Int8Packing();
    var kernels = new ArrayList<ProductKernel>();
    for (DType type : DType.values()) {
      if (type.isWeight()) {
        kernels.add(type.isQuantized() ? new VnniKernel(type, packing) : new FloatKernel(type));
      }
    }
    return kernels;
  }
}
