package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.Step;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.model.Model;
import dev.ridgeline.reference.ReferenceBackend;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Logits of a model file on the test's device beside the reference's: a prompt, single tokens, few
 * tokens; and the same single tokens among other sequences, which must change nothing at all.
 */
final class ModelComparison {
  private static final int CONTEXT = 128;
  private static final int BLOCK = 16;
  private static final int SEQUENCES = 20;

  private ModelComparison() {}

  /** Arguments: a GGUF file, and {@code q8_0} for that KV type. */
  public static void main(String[] args) {
    KvType kv = args.length > 1 && args[1].equals("q8_0") ? KvType.Q8_0 : KvType.F16;
    TestDevice device = TestDevice.open();
    try (GgufFile file = GgufFile.open(Path.of(args[0]));
        Backend vulkan = new VulkanBackend(device.instance, device.index);
        Backend reference = new ReferenceBackend()) {
      Graph graph = Fusion.fuse(Model.read(file.metadata(), file.tensors()).graph());
      int blocks = CONTEXT / BLOCK * SEQUENCES;
      var capacity =
          new Capacity(
              CONTEXT,
              CONTEXT,
              SEQUENCES,
              CONTEXT,
              BLOCK,
              Collections.nCopies(graph.kvGroups().size(), blocks),
              kv);
      try (Executable a = vulkan.compile(graph, file::tensor, capacity);
          Executable b = reference.compile(graph, file::tensor, capacity)) {
        compare(graph, a, b, "prompt of 50", 0, 50);
        compare(graph, a, b, "single", 50, 1);
        compare(graph, a, b, "single", 51, 1);
        compare(graph, a, b, "5 tokens", 52, 5);
        compare(graph, a, b, "40 tokens", 57, 40);
        compare(graph, a, b, "single", 97, 1);
        batches(graph, a);
      }
      device.instance.messages().forEach(m -> System.out.println("MESSAGE " + m));
    }
    System.exit(0);
  }

  private static int[] tokens(Executable e, int sequence) {
    return new Random(sequence).ints(CONTEXT, 0, e.vocabularySize()).toArray();
  }

  private static int[][] tables(Graph graph, int sequence) {
    int[] table = IntStream.range(0, CONTEXT / BLOCK).map(i -> i * SEQUENCES + sequence).toArray();
    return Collections.nCopies(graph.kvGroups().size(), table).toArray(int[][]::new);
  }

  private static float[] run(Graph graph, Executable e, int from, int count) {
    var step = new Step(e.capacity());
    step.beginSequence(tables(graph, 0));
    for (int p = from; p < from + count; p++) {
      step.addToken(tokens(e, 0)[p], p, p == from + count - 1);
    }
    e.run(step);
    float[] logits = new float[e.vocabularySize()];
    e.logits(0, logits);
    return logits;
  }

  private static void compare(
      Graph graph, Executable a, Executable b, String what, int from, int count) {
    float[] found = run(graph, a, from, count);
    float[] expected = run(graph, b, from, count);
    double error = 0;
    double square = 0;
    int best = 0;
    int bestFound = 0;
    for (int i = 0; i < found.length; i++) {
      error += Math.pow(found[i] - expected[i], 2);
      square += Math.pow(expected[i], 2);
      best = expected[i] > expected[best] ? i : best;
      bestFound = found[i] > found[bestFound] ? i : bestFound;
    }
    System.out.printf(
        "%-14s relative error %.2e, best token %d for %d, argmax %d%n",
        what, Math.sqrt(error / square), bestFound, best, a.argmax(0));
  }

  /**
   * The last of 20 tokens of sequence 0, alone and among others, bit by bit; steps of 5 tokens and
   * more, which round otherwise on some devices, beside a step of 5.
   */
  private static void batches(Graph graph, Executable e) {
    float[] alone = null;
    for (int n : new int[] {1, 2, 3, 4, 5, 8, 12, 20}) {
      float[] logits = new float[e.vocabularySize()];
      var step = new Step(e.capacity());
      for (int p = 0; p < 20; p++) {
        step.clear();
        for (int s = 0; s < n; s++) {
          step.beginSequence(tables(graph, s));
          step.addToken(tokens(e, s)[p], p, true);
        }
        e.run(step);
      }
      e.logits(0, logits);
      if (alone == null || n == 5) {
        alone = logits;
      }
      int different = 0;
      for (int i = 0; i < logits.length; i++) {
        different += Float.floatToIntBits(alone[i]) == Float.floatToIntBits(logits[i]) ? 0 : 1;
      }
      System.out.printf(
          "batch of %d: %d of %d logits differ from a batch of %d%n",
          n, different, logits.length, n < 5 ? 1 : 5);
    }
  }
}
