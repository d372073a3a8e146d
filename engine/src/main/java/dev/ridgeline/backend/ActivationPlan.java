package dev.ridgeline.backend;

import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which buffer holds each value of a graph. Values that are never needed at the same time share
 * one: a value takes a buffer when its op runs and gives it back after the last op that reads it.
 * The outputs of an op never share a buffer with its inputs or with each other; the logits keep
 * theirs until the next step.
 */
public final class ActivationPlan {
  private final int[] bufferOfValue;
  private final List<Long> elements = new ArrayList<>();

  /** What a backend runs as one: values read and values written. */
  public interface Stage {
    /** Read while it runs. */
    List<Value> inputs();

    /** Written while it runs. */
    List<Value> outputs();
  }

  private record OpStage(List<Value> inputs, List<Value> outputs) implements Stage {}

  /** The plan for {@code graph} at {@code capacity}. */
  public ActivationPlan(Graph graph, Capacity capacity) {
    this(
        graph.ops().stream()
            .map((Op op) -> (Stage) new OpStage(op.inputs(), op.outputs()))
            .toList(),
        graph,
        capacity);
  }

  /** The plan for {@code stages} that a backend made of the ops of {@code graph}. */
  public ActivationPlan(List<? extends Stage> stages, Graph graph, Capacity capacity) {
    bufferOfValue = new int[graph.values().size()];
    int[] lastReader = lastReaders(stages, graph);
    var free = new ArrayList<Integer>();
    for (int i = 0; i < stages.size(); i++) {
      Stage op = stages.get(i);
      for (Value out : op.outputs()) {
        bufferOfValue[out.id()] = take(free, elements(out, capacity));
      }
      int now = i;
      op.inputs().stream()
          .distinct()
          .filter(v -> lastReader[v.id()] == now)
          .forEach(v -> free.add(bufferOfValue[v.id()]));
      op.outputs().stream()
          .filter(v -> lastReader[v.id()] < 0)
          .forEach(v -> free.add(bufferOfValue[v.id()]));
    }
  }

  /** Buffers. */
  public int buffers() {
    return elements.size();
  }

  /** float32 elements of buffer {@code buffer}: rows times width of the largest value in it. */
  public long elements(int buffer) {
    return elements.get(buffer);
  }

  /** The buffer of {@code value}, which starts at its first element. */
  public int buffer(Value value) {
    return bufferOfValue[value.id()];
  }

  /** Bytes of all buffers. */
  public long bytes() {
    return Float.BYTES * elements.stream().mapToLong(Long::longValue).sum();
  }

  /** Elements that {@code value} has in the largest step. */
  public static long elements(Value value, Capacity capacity) {
    long rows =
        switch (value.rows()) {
          case TOKENS -> capacity.maxTokens();
          case OUTPUTS -> capacity.maxOutputs();
        };
    return rows * value.width();
  }

  /**
   * The smallest free buffer that is large enough, else the largest one, enlarged, or a new one.
   */
  private int take(List<Integer> free, long wanted) {
    int best = -1;
    for (int buffer : free) {
      if (best < 0 || isBetter(elements.get(buffer), elements.get(best), wanted)) {
        best = buffer;
      }
    }
    if (best < 0) {
      elements.add(wanted);
      return elements.size() - 1;
    }
    free.remove(Integer.valueOf(best));
    elements.set(best, Math.max(elements.get(best), wanted));
    return best;
  }

  private static boolean isBetter(long candidate, long best, long wanted) {
    return best < wanted ? candidate > best : candidate >= wanted && candidate < best;
  }

  private static int[] lastReaders(List<? extends Stage> stages, Graph graph) {
    int[] last = new int[graph.values().size()];
    Arrays.fill(last, -1);
    for (int i = 0; i < stages.size(); i++) {
      for (Value in : stages.get(i).inputs()) {
        last[in.id()] = i;
      }
    }
    last[graph.logits().id()] = stages.size();
    return last;
  }
}
