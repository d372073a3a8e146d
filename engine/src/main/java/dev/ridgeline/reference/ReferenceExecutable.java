package dev.ridgeline.reference;

import dev.ridgeline.backend.ActivationPlan;
import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.Step;
import dev.ridgeline.backend.StepCheck;
import dev.ridgeline.backend.Weights;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.KvLayer;
import dev.ridgeline.graph.LayerSplit;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** A graph with its values in float arrays and its KV blocks outside the heap. */
final class ReferenceExecutable implements Executable {
  private final Graph graph;
  private final Capacity capacity;
  private final StepCheck check;
  private final BoundWeights weights;
  private final float[][] values;
  private final Scratch scratch;
  private final Arena arena = Arena.ofShared();
  private final KvStore kv;
  private final int[] groupOfLayer;
  private final MemorySegment input;
  private int outputs;

  ReferenceExecutable(Graph graph, Weights weights, Capacity capacity) {
    this.graph = graph;
    this.capacity = capacity;
    check = new StepCheck(graph, capacity);
    this.weights = new BoundWeights(graph, weights);
    var plan = new ActivationPlan(graph, capacity);
    float[][] buffers = new float[plan.buffers()][];
    for (int i = 0; i < buffers.length; i++) {
      buffers[i] = new float[arrayLength(plan.elements(i))];
    }
    values = new float[graph.values().size()][];
    for (Value v : graph.values()) {
      values[v.id()] = buffers[plan.buffer(v)];
    }
    scratch = new Scratch(graph, capacity);
    kv = new KvStore(graph, capacity, arena);
    input = arena.allocate(LayerSplit.inputBytes(graph, capacity.maxTokens()), Float.BYTES);
    groupOfLayer = graph.kvLayers().stream().mapToInt(graph::kvGroup).toArray();
  }

  private static int arrayLength(long elements) {
    if (elements > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "a value of %d elements does not fit the reference backend's arrays; take fewer tokens"
                  .formatted(elements)
              + " or outputs a step");
    }
    return (int) elements;
  }

  @Override
  public Capacity capacity() {
    return capacity;
  }

  @Override
  public int vocabularySize() {
    return graph.logits().width();
  }

  @Override
  public MemorySegment input() {
    return input;
  }

  @Override
  public void run(Step step) {
    check.check(step);
    for (int i = 0; i < graph.ops().size(); i++) {
      run(graph.ops().get(i), step);
    }
    outputs = step.outputCount();
  }

  @Override
  public void logits(int output, float[] into) {
    System.arraycopy(values[graph.logits().id()], firstLogit(output), into, 0, vocabularySize());
  }

  @Override
  public int argmax(int output) {
    float[] logits = values[graph.logits().id()];
    int from = firstLogit(output);
    int best = 0;
    for (int i = 0; i < vocabularySize(); i++) {
      if (!(logits[from + i] < Float.POSITIVE_INFINITY)) {
        return -1;
      }
      if (logits[from + i] > logits[from + best]) {
        best = i;
      }
    }
    return best;
  }

  @Override
  public void close() {
    arena.close();
  }

  private int firstLogit(int output) {
    if (output < 0 || output >= outputs) {
      throw new IllegalArgumentException(
          "output %d; the last step had %d".formatted(output, outputs));
    }
    return output * vocabularySize();
  }

  private void run(Op op, Step step) {
    switch (op) {
      case Op.Input i ->
          MemorySegment.copy(
              input,
              ValueLayout.JAVA_FLOAT,
              0,
              array(i.out()),
              0,
              step.tokenCount() * i.out().width());
      case Op.Embed e -> embed(e, step);
      case Op.RmsNorm n -> rmsNorm(n.x(), n.weight(), n.eps(), n.out(), rows(n.x(), step));
      case Op.AddRmsNorm n -> {
        add(n.a(), n.b(), n.scale(), n.sum(), step);
        rmsNorm(n.sum(), n.weight(), n.eps(), n.out(), rows(n.a(), step));
      }
      case Op.MatMul m -> {
        for (int i = 0; i < m.products().size(); i++) {
          product(m.x(), m.products().get(i), rows(m.x(), step));
        }
      }
      case Op.GatedMatMul m -> gatedMatMul(m, rows(m.x(), step));
      case Op.Gate g -> gate(g, rows(g.gate(), step));
      case Op.Rope r -> rope(r, step);
      case Op.StoreKv s -> storeKv(s, step);
      case Op.Attention a -> attention(a, step);
      case Op.Add a -> add(a.a(), a.b(), a.scale(), a.out(), step);
      case Op.Scale s -> {
        for (int i = 0; i < rows(s.x(), step) * s.x().width(); i++) {
          array(s.out())[i] = array(s.x())[i] * s.factor();
        }
      }
      case Op.SoftCap s -> {
        for (int i = 0; i < rows(s.x(), step) * s.x().width(); i++) {
          array(s.out())[i] = (float) softCap(array(s.x())[i], s.cap());
        }
      }
      case Op.SelectOutputs s -> selectOutputs(s, step);
      case Op.Route r -> Experts.route(r, array(r.logits()), array(r.out()), rows(r.out(), step));
      case Op.ExpertMatMul m ->
          Experts.product(
              m,
              weights,
              scratch,
              array(m.x()),
              array(m.route()),
              array(m.out()),
              rows(m.x(), step));
      case Op.ExpertSum s ->
          Experts.sum(s, array(s.x()), array(s.route()), array(s.out()), rows(s.x(), step));
    }
  }

  private void embed(Op.Embed e, Step step) {
    int width = e.out().width();
    for (int t = 0; t < step.tokenCount(); t++) {
      weights.row(e.table(), 0, step.token(t), scratch.row);
      for (int i = 0; i < width; i++) {
        array(e.out())[t * width + i] = scratch.row[i] * e.scale();
      }
    }
  }

  private void rmsNorm(Value x, Weight weight, float eps, Value out, int rows) {
    int width = weight.cols();
    weights.vector(weight, scratch.row);
    for (int at = 0; at < rows * x.width(); at += width) {
      double squares = 0;
      for (int i = 0; i < width; i++) {
        squares += (double) array(x)[at + i] * array(x)[at + i];
      }
      double scale = 1 / Math.sqrt(squares / width + eps);
      for (int i = 0; i < width; i++) {
        array(out)[at + i] = (float) (array(x)[at + i] * scale * scratch.row[i]);
      }
    }
  }

  private void product(Value x, Op.Product p, int rows) {
    Weight bias = p.bias();
    if (bias != null) {
      weights.vector(bias, scratch.row2);
    }
    for (int r = 0; r < p.weight().rows(); r++) {
      weights.row(p.weight(), 0, r, scratch.row);
      for (int t = 0; t < rows; t++) {
        double sum = dot(scratch.row, array(x), t * x.width(), x.width());
        double shift = bias == null ? 0 : scratch.row2[r];
        array(p.out())[t * p.out().width() + r] = (float) (sum + shift);
      }
    }
  }

  private void gatedMatMul(Op.GatedMatMul m, int rows) {
    int width = m.x().width();
    for (int r = 0; r < m.gate().rows(); r++) {
      weights.row(m.gate(), 0, r, scratch.row);
      weights.row(m.up(), 0, r, scratch.row2);
      for (int t = 0; t < rows; t++) {
        double gate = dot(scratch.row, array(m.x()), t * width, width);
        double up = dot(scratch.row2, array(m.x()), t * width, width);
        array(m.out())[t * m.out().width() + r] =
            (float) Activations.apply(m.activation(), gate, up);
      }
    }
  }

  private void gate(Op.Gate g, int rows) {
    for (int i = 0; i < rows * g.gate().width(); i++) {
      array(g.out())[i] =
          (float) Activations.apply(g.activation(), array(g.gate())[i], array(g.up())[i]);
    }
  }

  private void rope(Op.Rope r, Step step) {
    int width = r.x().width();
    if (r.freqFactors() != null) {
      weights.vector(r.freqFactors(), scratch.row);
    }
    float[] factors = r.freqFactors() == null ? null : scratch.row;
    System.arraycopy(array(r.x()), 0, array(r.out()), 0, step.tokenCount() * width);
    for (int t = 0; t < step.tokenCount(); t++) {
      Rotation.rotate(array(r.out()), t * width, width, step.position(t), r.params(), factors);
    }
  }

  private void storeKv(Op.StoreKv s, Step step) {
    for (int t = 0; t < step.tokenCount(); t++) {
      int slot = kv.slot(blockTable(step, step.sequence(t), s.layer()), step.position(t));
      kv.store(s.layer(), slot, array(s.k()), t * s.k().width(), array(s.v()), t * s.v().width());
    }
  }

  private void attention(Op.Attention a, Step step) {
    if (a.sinks() != null) {
      weights.vector(a.sinks(), scratch.row);
    }
    KvLayer layer = a.layer();
    int headsPerKvHead = a.headCount() / layer.headCountKv();
    for (int s = 0; s < step.sequenceCount(); s++) {
      for (int kvHead = 0; kvHead < layer.headCountKv(); kvHead++) {
        gather(layer, step, s, kvHead);
        for (int t = step.firstRow(s); t < step.endRow(s); t++) {
          for (int i = 0; i < headsPerKvHead; i++) {
            attend(a, kvHead * headsPerKvHead + i, t, step.position(t));
          }
        }
      }
    }
  }

  /** Decodes K and V of one head at every position that some row of the sequence sees. */
  private void gather(KvLayer layer, Step step, int sequence, int head) {
    if (step.firstRow(sequence) == step.endRow(sequence)) {
      return;
    }
    int[] table = blockTable(step, sequence, layer);
    int first = StepCheck.firstVisible(step.position(step.firstRow(sequence)), layer.window());
    int last = step.position(step.endRow(sequence) - 1);
    for (int p = first; p <= last; p++) {
      int slot = kv.slot(table, p);
      kv.key(layer, slot, head, scratch.keys, p * layer.keyDim());
      kv.value(layer, slot, head, scratch.values, p * layer.valueDim());
    }
  }

  /** One query head of one token over the gathered positions that it sees. */
  private void attend(Op.Attention a, int head, int t, int position) {
    int keyDim = a.layer().keyDim();
    int valueDim = a.layer().valueDim();
    int first = StepCheck.firstVisible(position, a.layer().window());
    int q = t * a.q().width() + head * keyDim;
    double max = a.sinks() == null ? Double.NEGATIVE_INFINITY : scratch.row[head];
    for (int p = first; p <= position; p++) {
      double score = 0;
      for (int i = 0; i < keyDim; i++) {
        score += (double) array(a.q())[q + i] * scratch.keys[p * keyDim + i];
      }
      score *= a.scale();
      scratch.scores[p] = a.softCap() > 0 ? softCap(score, a.softCap()) : score;
      max = Math.max(max, scratch.scores[p]);
    }
    double total = a.sinks() == null ? 0 : Math.exp(scratch.row[head] - max);
    Arrays.fill(scratch.sum, 0);
    for (int p = first; p <= position; p++) {
      double e = Math.exp(scratch.scores[p] - max);
      total += e;
      for (int i = 0; i < valueDim; i++) {
        scratch.sum[i] += e * scratch.values[p * valueDim + i];
      }
    }
    int out = t * a.out().width() + head * valueDim;
    for (int i = 0; i < valueDim; i++) {
      array(a.out())[out + i] = (float) (scratch.sum[i] / total);
    }
  }

  private void add(Value a, Value b, float scale, Value out, Step step) {
    for (int i = 0; i < rows(a, step) * a.width(); i++) {
      array(out)[i] = (float) (array(a)[i] + (double) array(b)[i] * scale);
    }
  }

  private void selectOutputs(Op.SelectOutputs s, Step step) {
    int width = s.x().width();
    for (int o = 0; o < step.outputCount(); o++) {
      System.arraycopy(array(s.x()), step.outputRow(o) * width, array(s.out()), o * width, width);
    }
  }

  /** {@code sum_i w[i] * x[from + i]} in double; four sums, since one waits for each addition. */
  static double dot(float[] w, float[] x, int from, int n) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int i = 0;
    for (; i + 4 <= n; i += 4) {
      a += (double) w[i] * x[from + i];
      b += (double) w[i + 1] * x[from + i + 1];
      c += (double) w[i + 2] * x[from + i + 2];
      d += (double) w[i + 3] * x[from + i + 3];
    }
    for (; i < n; i++) {
      a += (double) w[i] * x[from + i];
    }
    return a + b + c + d;
  }

  private static double softCap(double x, double cap) {
    return cap * Math.tanh(x / cap);
  }

  private float[] array(Value v) {
    return values[v.id()];
  }

  private int[] blockTable(Step step, int sequence, KvLayer layer) {
    return step.blockTable(sequence, groupOfLayer[layer.layer()]);
  }

  private static int rows(Value v, Step step) {
    return switch (v.rows()) {
      case TOKENS -> step.tokenCount();
      case OUTPUTS -> step.outputCount();
    };
  }
}
