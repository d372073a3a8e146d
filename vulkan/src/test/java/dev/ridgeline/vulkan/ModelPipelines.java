package dev.ridgeline.vulkan;

import static java.util.Objects.requireNonNull;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.Step;
import dev.ridgeline.gguf.Metadata;
import dev.ridgeline.gguf.MetadataType;
import dev.ridgeline.gguf.MetadataValue;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.model.FileType;
import dev.ridgeline.model.Model;
import dev.ridgeline.model.TensorRequest;
import dev.ridgeline.model.synth.Synth;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Tensor;
import dev.ridgeline.vulkan.device.GpuDevice;
import dev.ridgeline.vulkan.device.GpuPipeline;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.lwjgl.system.MemoryUtil;

/**
 * The pipelines of models of 1 B to 30 B, found by recording their steps as a user's run would: the
 * first layers of each released shape, all of their weights zero. Good for a compiler without a
 * device: what is recorded need not run.
 */
final class ModelPipelines {
  /** Enough for both formats of a mix, and for Gemma's layers with a window and without. */
  private static final int LAYERS = 6;

  private static final int CONTEXT = 512;
  private static final int SEQUENCES = 32;
  private static final int BLOCK = 32;

  /** Tokens of a step, each a sequence of its own up to 32: every way to multiply is among them. */
  private static final List<Integer> TOKENS = List.of(1, 2, 3, 4, 6, 8, 12, 16, 33, 512);

  /** A model's shape, its formats and those of its KV cache. */
  private record Case(String shape, FileType type, KvType kv, int layers) {
    @Override
    public String toString() {
      return shape + " " + type + (kv == KvType.Q8_0 ? " with KV in Q8_0" : "");
    }
  }

  /** A pipeline with the model and the step that wanted it first. */
  record Use(GpuPipeline pipeline, String model, String tokens) {}

  private final GpuDevice device;
  private final Pipelines pipelines;
  private final Set<GpuPipeline> seen = new HashSet<>();
  private final List<Use> uses = new ArrayList<>();

  private ModelPipelines(GpuDevice device) {
    this.device = device;
    pipelines = new Pipelines(device);
  }

  /** Compiles all of them. */
  static List<Use> compile(GpuDevice device) {
    var all = new ModelPipelines(device);
    cases().forEach(all::compile);
    return all.uses;
  }

  /** The mixes that people run, then every format by itself. */
  private static List<Case> cases() {
    var cases = new ArrayList<Case>();
    cases.add(new Case("llama-1b", FileType.Q4_K_M, KvType.F16, LAYERS));
    cases.add(new Case("llama-8b", FileType.Q4_K_M, KvType.F16, LAYERS));
    cases.add(new Case("llama-8b", FileType.Q4_K_M, KvType.Q8_0, LAYERS));
    cases.add(new Case("gemma3-27b", FileType.Q3_K_M, KvType.F16, LAYERS));
    cases.add(new Case("gemma3-27b", FileType.Q4_K_M, KvType.Q8_0, LAYERS));
    cases.add(new Case("gemma2-9b", FileType.Q4_K_M, KvType.F16, 2));
    cases.add(new Case("qwen3-8b", FileType.Q4_K_M, KvType.F16, LAYERS));
    cases.add(new Case("qwen2-7b", FileType.Q4_K_M, KvType.F16, 2));
    cases.add(new Case("qwen3-30b-a3b", FileType.Q4_K_M, KvType.F16, 1));
    cases.add(new Case("gpt-oss-20b", FileType.MXFP4, KvType.F16, 2));
    cases.add(new Case("phi3-mini-128k", FileType.Q4_K_M, KvType.F16, 1));
    for (FileType type : FileType.values()) {
      cases.add(new Case("mistral-7b", type, KvType.F16, 1));
    }
    return cases;
  }

  private void compile(Case c) {
    var synth = new Synth(c.shape, c.type);
    List<TensorRequest> requests =
        synth.tensors().stream().filter(t -> layer(t.name()) < c.layers).toList();
    long largest = requests.stream().mapToLong(t -> bytes(synth, t)).max().orElseThrow();
    // Pages that are only read are all the same page of zeros.
    long zeros = MemoryUtil.nmemCallocChecked(1, largest);
    try {
      MemorySegment data = MemorySegment.ofAddress(zeros).reinterpret(largest);
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      for (TensorRequest t : requests) {
        DType type = synth.typeOf(t);
        tensors.put(
            t.name(), new Tensor(t.name(), type, t.shape(), data.asSlice(0, bytes(synth, t))));
      }
      var metadata = new LinkedHashMap<>(synth.metadata());
      String architecture = new Metadata(c.shape, metadata).string("general.architecture");
      metadata.computeIfPresent(
          architecture + ".block_count",
          (_, _) -> new MetadataValue.Int(MetadataType.UINT32, c.layers));
      run(c, Model.read(new Metadata(c.shape, metadata), tensors), tensors);
    } finally {
      MemoryUtil.nmemFree(zeros);
    }
  }

  private static long bytes(Synth synth, TensorRequest t) {
    return synth.typeOf(t).bytes(t.shape().elements());
  }

  private static int layer(String name) {
    return name.startsWith("blk.") ? Integer.parseInt(name.split("\\.")[1]) : 0;
  }

  private void run(Case c, Model model, Map<String, Tensor> tensors) {
    Graph graph = Fusion.fuse(model.graph());
    List<Integer> blocks = Collections.nCopies(graph.kvGroups().size(), CONTEXT / BLOCK);
    var capacity = new Capacity(CONTEXT, SEQUENCES, SEQUENCES, CONTEXT, BLOCK, blocks, c.kv);
    try (var executable =
        new VulkanExecutable(
            device, pipelines, graph, name -> requireNonNull(tensors.get(name), name), capacity)) {
      note(c, "loading");
      var step = new Step(capacity);
      for (int n : TOKENS) {
        step.clear();
        for (int t = 0; t < n; t++) {
          boolean alone = n <= SEQUENCES;
          if (alone || t == 0) {
            step.beginSequence(tables(graph));
          }
          step.addToken(0, alone ? 0 : t, alone || t == n - 1);
        }
        executable.run(step);
        note(c, n == 1 ? "1 token" : n + " tokens");
      }
    }
  }

  /** All sequences in the same blocks: nothing reads them. */
  private static int[][] tables(Graph graph) {
    int[] table = IntStream.range(0, CONTEXT / BLOCK).toArray();
    return Collections.nCopies(graph.kvGroups().size(), table).toArray(int[][]::new);
  }

  private void note(Case c, String tokens) {
    pipelines.compiled().stream()
        .filter(seen::add)
        .sorted((a, b) -> a.toString().compareTo(b.toString()))
        .forEach(p -> uses.add(new Use(p, c.toString(), tokens)));
  }
}
