import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.Locale;

/**
 * Writes what ggml itself computes for rotations and gates, for {@code ReferenceGoldenTest}, to
 * standard output. Run where ggml's shared libraries are installed:
 *
 * <pre>
 *   ../shared/oracles/inside java --enable-native-access=ALL-UNNAMED \
 *       engine/src/test/golden/OpGolden.java libggml-base.so.0 PATH/libggml-cpu-x64.so \
 *       > engine/src/test/resources/dev/ridgeline/reference/ggml.txt
 * </pre>
 *
 * Lines: {@code rope LAYOUT headDim dims base scale extFactor attnFactor betaFast betaSlow context
 * factors position <headDim numbers>}, the rotation of {@code x[i] = sin(i + 1)} with the
 * frequency factors {@code 1 + i * factors} (none where that is 0), and {@code gate ACTIVATION gate
 * up result}.
 */
final class OpGolden {
  private static final int F32 = 0;
  private static final int I32 = 26;
  private static final int NORM = 0;
  private static final int NEOX = 2;

  private final Linker linker = Linker.nativeLinker();
  private final SymbolLookup base;
  private final SymbolLookup cpu;
  private final MemorySegment context;

  private OpGolden(String basePath, String cpuPath, Arena arena) throws Throwable {
    base = SymbolLookup.libraryLookup(basePath, arena);
    cpu = SymbolLookup.libraryLookup(cpuPath, arena);
    var params =
        MemoryLayout.structLayout(
            ValueLayout.JAVA_LONG,
            ValueLayout.ADDRESS,
            ValueLayout.JAVA_BOOLEAN,
            MemoryLayout.paddingLayout(7));
    MemorySegment p = arena.allocate(params);
    p.set(ValueLayout.JAVA_LONG, 0, 256L << 20);
    context = (MemorySegment) handle(base, "ggml_init", ValueLayout.ADDRESS, params).invoke(p);
  }

  public static void main(String[] args) throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      var ggml = new OpGolden(args[0], args[1], arena);
      for (int position : new int[] {0, 1, 77, 1000}) {
        ggml.rope(NORM, 64, 64, 10_000, 1, 0, 1, 32, 1, 0, 0, position);
        ggml.rope(NEOX, 64, 64, 1e6f, 1, 0, 1, 32, 1, 0, 0, position);
        ggml.rope(NORM, 80, 20, 10_000, 0.25f, 0, 1, 32, 1, 0, 0, position);
        ggml.rope(NEOX, 96, 96, 10_000, 1, 0, 1.19f, 32, 1, 4096, 0.25f, position);
        ggml.rope(NORM, 64, 64, 500_000, 1, 0, 1, 32, 1, 0, 0.5f, position);
        ggml.rope(NEOX, 64, 64, 150_000, 1 / 32f, 1, 1, 32, 1, 4096, 0, position);
        ggml.rope(NORM, 128, 64, 10_000, 0.025f, 0.7f, 0.9f, 32, 2, 4096, 0.125f, position);
      }
      float[] gates = {-20, -7.5f, -3, -1, -0.1f, 0, 0.1f, 1, 3, 6.5f, 8, 30};
      for (float gate : gates) {
        for (float up : new float[] {-9, -0.5f, 1, 7.5f}) {
          ggml.gate("SILU", "ggml_swiglu_split", gate, up);
          ggml.gate("GELU_TANH", "ggml_geglu_split", gate, up);
          ggml.gate("SWIGLU_OAI", "ggml_swiglu_oai", gate, up, 1.702f, 7f);
        }
      }
    }
  }

  private void rope(
      int mode, int headDim, int dims, float freqBase, float scale, float extFactor,
      float attnFactor, float betaFast, float betaSlow, int original, float factors, int position)
      throws Throwable {
    float[] x = new float[headDim];
    for (int i = 0; i < headDim; i++) {
      x[i] = (float) Math.sin(i + 1);
    }
    MemorySegment positions = tensor(I32, 1);
    data(positions, 4).set(ValueLayout.JAVA_INT, 0, position);
    MemorySegment frequencyFactors = MemorySegment.NULL;
    if (factors > 0) {
      float[] f = new float[dims / 2];
      for (int i = 0; i < f.length; i++) {
        f[i] = 1 + i * factors;
      }
      frequencyFactors = floats(f);
    }
    MemorySegment result =
        (MemorySegment)
            handle(
                    base, "ggml_rope_ext", ValueLayout.ADDRESS, ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS,
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_FLOAT, ValueLayout.JAVA_FLOAT, ValueLayout.JAVA_FLOAT,
                    ValueLayout.JAVA_FLOAT, ValueLayout.JAVA_FLOAT, ValueLayout.JAVA_FLOAT)
                .invoke(
                    context, floats(x), positions, frequencyFactors, dims, mode, original,
                    freqBase, scale, extFactor, attnFactor, betaFast, betaSlow);
    StringBuilder line = new StringBuilder("rope ");
    line.append(mode == NEOX ? "NEOX" : "NORM");
    for (Object o :
        new Object[] {
          headDim, dims, freqBase, scale, extFactor, attnFactor, betaFast, betaSlow, original,
          factors, position
        }) {
      line.append(' ').append(o);
    }
    for (float y : compute(result, headDim)) {
      line.append(' ').append(y);
    }
    System.out.println(line);
  }

  private void gate(String name, String function, float gate, float up, Object... parameters)
      throws Throwable {
    MemoryLayout[] layouts = new MemoryLayout[3 + parameters.length];
    Arrays.fill(layouts, 0, 3, ValueLayout.ADDRESS);
    Arrays.fill(layouts, 3, layouts.length, ValueLayout.JAVA_FLOAT);
    Object[] arguments = new Object[layouts.length];
    arguments[0] = context;
    arguments[1] = floats(gate);
    arguments[2] = floats(up);
    System.arraycopy(parameters, 0, arguments, 3, parameters.length);
    MemorySegment result =
        (MemorySegment)
            handle(base, function, ValueLayout.ADDRESS, layouts).invokeWithArguments(arguments);
    System.out.printf(
        Locale.ROOT, "gate %s %s %s %s%n", name, gate, up, compute(result, 1)[0]);
  }

  private float[] compute(MemorySegment result, int n) throws Throwable {
    MemorySegment graph =
        (MemorySegment)
            handle(base, "ggml_new_graph", ValueLayout.ADDRESS, ValueLayout.ADDRESS)
                .invoke(context);
    handle(base, "ggml_build_forward_expand", null, ValueLayout.ADDRESS, ValueLayout.ADDRESS)
        .invoke(graph, result);
    int status =
        (int)
            handle(
                    cpu, "ggml_graph_compute_with_ctx", ValueLayout.JAVA_INT, ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS, ValueLayout.JAVA_INT)
                .invoke(context, graph, 1);
    if (status != 0) {
      throw new IllegalStateException("ggml status " + status);
    }
    return data(result, 4L * n).toArray(ValueLayout.JAVA_FLOAT);
  }

  private MemorySegment floats(float... x) throws Throwable {
    MemorySegment t = tensor(F32, x.length);
    MemorySegment.copy(x, 0, data(t, 4L * x.length), ValueLayout.JAVA_FLOAT, 0, x.length);
    return t;
  }

  private MemorySegment tensor(int type, long n) throws Throwable {
    return (MemorySegment)
        handle(
                base, "ggml_new_tensor_1d", ValueLayout.ADDRESS, ValueLayout.ADDRESS,
                ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG)
            .invoke(context, type, n);
  }

  private MemorySegment data(MemorySegment tensor, long bytes) throws Throwable {
    return ((MemorySegment)
            handle(base, "ggml_get_data", ValueLayout.ADDRESS, ValueLayout.ADDRESS).invoke(tensor))
        .reinterpret(bytes);
  }

  private MethodHandle handle(
      SymbolLookup library, String name, MemoryLayout result, MemoryLayout... arguments) {
    FunctionDescriptor descriptor =
        result == null
            ? FunctionDescriptor.ofVoid(arguments)
            : FunctionDescriptor.of(result, arguments);
    return linker.downcallHandle(library.find(name).orElseThrow(), descriptor);
  }
}
