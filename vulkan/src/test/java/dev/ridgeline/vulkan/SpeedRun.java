package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.Step;
import dev.ridgeline.backend.StepProfile;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.model.Model;
import dev.ridgeline.vulkan.device.VulkanInstance;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Speeds of a model on device 0, with where the time goes, many cells in one process: what a lent
 * machine is used for. Arguments: a GGUF file, then cells: {@code p512} a prompt, {@code g1@4096}
 * generation of one sequence at a depth, {@code g12} of twelve, {@code m12+40} of twelve beside a
 * prompt; a {@code !} after a cell profiles it.
 */
final class SpeedRun {
  private static final int BLOCK = 32;
  private static final int RUNS = 3;

  private SpeedRun() {}

  private record Cell(char kind, int count, int piece, int depth, boolean profile) {
    static Cell of(String text) {
      String plain = text.replace("!", "");
      String[] parts = plain.substring(1).split("@");
      int depth = parts.length > 1 ? Integer.parseInt(parts[1]) : 0;
      String[] counts = parts[0].split("\\+");
      int piece = counts.length > 1 ? Integer.parseInt(counts[1]) : 0;
      int count = Integer.parseInt(counts[0]);
      return new Cell(plain.charAt(0), count, piece, depth, text.endsWith("!"));
    }

    boolean prompt() {
      return kind == 'p';
    }

    int sequences() {
      return prompt() ? 1 : count;
    }

    String title() {
      return kind + "" + count + (piece > 0 ? "+" + piece : "") + "@" + depth;
    }
  }

  /** Prints a line a cell. */
  public static void main(String[] args) {
    List<Cell> cells = Arrays.stream(args).skip(1).map(Cell::of).toList();
    int sequences =
        cells.stream().mapToInt(c -> c.sequences() + (c.piece > 0 ? 1 : 0)).max().orElse(1);
    int depth =
        cells.stream()
            .mapToInt(c -> Math.max(c.piece, c.depth + (c.prompt() ? c.count : 0)))
            .max()
            .orElse(0);
    try (GgufFile file = GgufFile.open(Path.of(args[0]));
        var backend = new VulkanBackend(VulkanInstance.open(false), 0)) {
      Graph graph = Fusion.fuse(Model.read(file.metadata(), file.tensors()).graph());
      int context = (depth + 128 + BLOCK) / BLOCK * BLOCK;
      int blocks = context / BLOCK * sequences;
      var capacity =
          new Capacity(
              Math.max(512, sequences),
              Math.max(32, sequences),
              sequences,
              context,
              BLOCK,
              Collections.nCopies(graph.kvGroups().size(), blocks),
              KvType.F16);
      long start = System.nanoTime();
      try (Executable e = backend.compile(graph, file::tensor, capacity)) {
        System.out.printf("%s: loaded in %.2f s%n", args[0], (System.nanoTime() - start) / 1e9);
        cells.forEach(cell -> run(graph, e, cell));
      }
    }
    System.exit(0);
  }

  private static int[][] tables(Graph graph, Executable e, int sequence) {
    int each = e.capacity().blocksPerSequence();
    int[] table = IntStream.range(0, each).map(i -> sequence * each + i).toArray();
    return Collections.nCopies(graph.kvGroups().size(), table).toArray(int[][]::new);
  }

  private static void fill(Graph graph, Executable e, Step step, Cell cell, int from, int n) {
    step.clear();
    for (int s = 0; s < cell.sequences(); s++) {
      step.beginSequence(tables(graph, e, s));
      for (int p = from; p < from + n; p++) {
        step.addToken((p * 7919 + s * 131) % e.vocabularySize(), p, p == from + n - 1);
      }
    }
    if (cell.piece > 0) {
      step.beginSequence(tables(graph, e, cell.sequences()));
    }
    for (int p = 0; p < cell.piece; p++) {
      step.addToken(p * 7919 % e.vocabularySize(), p, p == cell.piece - 1);
    }
  }

  private static void run(Graph graph, Executable e, Cell cell) {
    var step = new Step(e.capacity());
    int steps = cell.prompt() ? 1 : 64;
    int n = cell.prompt() ? cell.count : 1;
    int tokens = n * cell.sequences() + cell.piece;
    boolean ahead = cell.kind == 'g' && e.runsAhead();
    double best = 0;
    var all = new ArrayList<Double>();
    for (int run = 0; run < RUNS + 1; run++) {
      long start = System.nanoTime();
      if (ahead) {
        generateAhead(graph, e, step, cell, steps);
      }
      for (int i = 0; i < steps && !ahead; i++) {
        for (int from = 0; from < n; from += 512) {
          int now = Math.min(512, n - from);
          fill(graph, e, step, cell, cell.depth + i + from, now);
          e.run(step);
        }
        int _ = e.argmax(0);
      }
      double speed = (double) steps * tokens / ((System.nanoTime() - start) / 1e9);
      if (run > 0) {
        all.add(speed);
        best = Math.max(best, speed);
      }
    }
    Collections.sort(all);
    fill(graph, e, step, cell, cell.depth, Math.min(n, 512));
    e.run(step);
    float[] logits = new float[e.vocabularySize()];
    e.logits(step.outputCount() - 1, logits);
    System.out.printf(
        "  %s: %.1f tok/s (best %.1f), %.3f ms a step, logits %08x%n",
        cell.title(),
        all.get(all.size() / 2),
        best,
        1e3 * tokens / all.get(all.size() / 2),
        Arrays.hashCode(logits));
    if (cell.profile) {
      fill(graph, e, step, cell, cell.depth, Math.min(n, 512));
      print(e.profile(step));
    }
  }

  /** Every step but the first takes what the one before chooses, while that one runs. */
  private static void generateAhead(Graph graph, Executable e, Step step, Cell cell, int steps) {
    fill(graph, e, step, cell, cell.depth, 1);
    e.start(step);
    for (int i = 1; i <= steps; i++) {
      if (i < steps) {
        step.clear();
        for (int s = 0; s < cell.sequences(); s++) {
          step.beginSequence(tables(graph, e, s));
          step.addToken(Step.choice(s), cell.depth + i, true);
        }
        e.startNext(step);
      }
      e.await();
      int _ = e.argmax(0);
    }
  }

  private static void print(StepProfile profile) {
    Map<String, double[]> kernels = new LinkedHashMap<>();
    for (StepProfile.Part part : profile.parts()) {
      double[] k = kernels.computeIfAbsent(part.kernel(), _ -> new double[3]);
      k[0]++;
      k[1] += part.nanos() / 1e3;
    }
    System.out.printf(
        "    wall %.1f us, device %.1f us in %d dispatches%n",
        profile.wallNanos() / 1e3, profile.deviceNanos() / 1e3, profile.parts().size());
    kernels.entrySet().stream()
        .sorted((a, b) -> Double.compare(b.getValue()[1], a.getValue()[1]))
        .limit(16)
        .forEach(
            k ->
                System.out.printf(
                    "    %9.1f us %4.0f runs %7.2f us each  %s%n",
                    k.getValue()[1],
                    k.getValue()[0],
                    k.getValue()[1] / k.getValue()[0],
                    k.getKey()));
  }
}
