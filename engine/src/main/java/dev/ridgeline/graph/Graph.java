package dev.ridgeline.graph;

import java.util.HashSet;
import java.util.List;

/**
 * A model's forward pass as data: ops in an order in which every value is written before it is
 * read.
 *
 * @param ops in execution order
 * @param values every value, at the index of its id
 * @param kvLayers attention layers, at the index of {@link KvLayer#layer()}
 * @param logits {@code [nOutputs, vocabulary]}, the result
 */
public record Graph(List<Op> ops, List<Value> values, List<KvLayer> kvLayers, Value logits) {
  /** Checks ids, layer numbers and that every value is written once, before it is read. */
  public Graph {
    ops = List.copyOf(ops);
    values = List.copyOf(values);
    kvLayers = List.copyOf(kvLayers);
    for (int i = 0; i < values.size(); i++) {
      check(values.get(i).id() == i, "value %s is at index %d", values.get(i), i);
    }
    for (int i = 0; i < kvLayers.size(); i++) {
      check(kvLayers.get(i).layer() == i, "layer %s is at index %d", kvLayers.get(i), i);
    }
    var written = new HashSet<Integer>();
    for (Op op : ops) {
      for (Value in : op.inputs()) {
        check(written.contains(in.id()), "%s reads '%s' before it is written", op, in.name());
      }
      for (Value out : op.outputs()) {
        check(values.get(out.id()).equals(out), "%s writes a value that is not listed", op);
        check(written.add(out.id()), "'%s' is written twice", out.name());
      }
    }
    check(written.contains(logits.id()), "the logits are never written");
  }

  private static void check(boolean condition, String message, Object... args) {
    if (!condition) {
      throw new IllegalArgumentException(message.formatted(args));
    }
  }

  /** Distinct window sizes of the layers, in order of first use; the index is the KV group. */
  public List<Integer> kvGroups() {
    return kvLayers.stream().map(KvLayer::window).distinct().toList();
  }

  /** The KV group of {@code layer}: its index in {@link #kvGroups()}. */
  public int kvGroup(KvLayer layer) {
    return kvGroups().indexOf(layer.window());
  }
}
