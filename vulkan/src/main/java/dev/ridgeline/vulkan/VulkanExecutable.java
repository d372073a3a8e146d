package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.Step;
import dev.ridgeline.backend.StepCheck;
import dev.ridgeline.backend.StepProfile;
import dev.ridgeline.backend.Weights;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.vulkan.device.DeviceInfo.MatrixShape;
import dev.ridgeline.vulkan.device.GpuBuffer;
import dev.ridgeline.vulkan.device.GpuDevice;
import dev.ridgeline.vulkan.device.Recording;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A graph on a device. The first step of each {@link StepShape} is recorded; later ones only write
 * the step buffer and submit the recording again. A step that is started while another runs has a
 * step buffer and a recording of its own; the queue runs them in order, and each recording begins
 * with a barrier after all before it.
 */
final class VulkanExecutable implements Executable {
  /** Recordings kept: the shapes of generation, and some of the ragged ends of prompts. */
  private static final int MAX_RECORDINGS = 192;

  /** {@code false}: no step is started before the one before it is over; to compare. */
  private static final String AHEAD = "ridgeline.vulkan.ahead";

  /** Most bytes of logits that one copy brings to the host. */
  private static final long READ_BYTES = 16L << 20;

  /** Products of many tokens decode their weights in pieces. */
  private static final int MAX_DISPATCHES_AN_OP = 64;

  private record Shape(StepShape step, int slot, boolean top, boolean draws) {}

  /** Rows of logits that are copied to the host. */
  private record Rows(int first, int count) {}

  private final GpuDevice device;
  private final Pipelines pipelines;
  private final Graph graph;
  private final List<GpuOp> ops;
  private final Capacity capacity;
  private final StepCheck check;
  private final boolean chained;
  private final Resources resources;
  private final GpuBuffer logits;

  /** Lists of the largest logits, {@code [SLOTS, maxOutputs, Scratch.TOP_WORDS]}. */
  private final GpuBuffer top;

  private final boolean runsAhead = !"false".equals(System.getProperty(AHEAD));

  /** By what they do: {@link Shape} or {@link Rows}. */
  private final Map<Record, Recording> recordings = new LinkedHashMap<>(16, 0.75f, true);

  /** For each slot of the step buffer, the step that is or was in it. */
  private final Recording[] steps = new Recording[StepBuffer.SLOTS];

  private final int[] outputsOf = new int[StepBuffer.SLOTS];
  private int underWay;

  /** Whether the step in a slot brings lists of its largest logits. */
  private final boolean[] hasTop = new boolean[StepBuffer.SLOTS];

  /** The slot of the step started last. */
  private int newest;

  /** The slot of the step that is over, and its outputs. */
  private int done;

  private int outputs;
  private int firstRead;
  private int rowsRead;

  VulkanExecutable(
      GpuDevice device, Pipelines pipelines, Graph whole, Weights weights, Capacity capacity) {
    this.device = device;
    this.pipelines = pipelines;
    graph = Lowering.split(whole);
    ops = Lowering.of(graph);
    this.capacity = capacity;
    chained = Chain.suits(device.info());
    check = new StepCheck(graph, capacity);
    resources = new Resources(device, pipelines, graph, ops, weights, capacity);
    top = resources.add(allTopBytes(capacity), GpuBuffer.Use.READBACK);
    long rows = 4L * rowsRead(graph, capacity) * graph.logits().width();
    logits = resources.add(rows, GpuBuffer.Use.READBACK);
  }

  /** Host bytes through which logits come back. */
  static long logitsBytes(Graph graph, Capacity capacity) {
    return 4L * graph.logits().width() * rowsRead(graph, capacity) + allTopBytes(capacity);
  }

  private static long allTopBytes(Capacity c) {
    return StepBuffer.SLOTS * topBytes(c.maxOutputs());
  }

  private static long topBytes(int outputs) {
    return 4L * outputs * Scratch.TOP_WORDS;
  }

  private static int rowsRead(Graph graph, Capacity capacity) {
    return Math.clamp(READ_BYTES / (4L * graph.logits().width()), 1, capacity.maxOutputs());
  }

  @Override
  public MemorySegment input() {
    return resources.input.mapped();
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
  public boolean runsAhead() {
    return runsAhead;
  }

  @Override
  public int fewTokens() {
    MatrixShape shape = device.info().matrixShape();
    return shape == null || pipelines.matrixLayout() == null ? 0 : 2 * shape.n();
  }

  @Override
  public void run(Step step) {
    start(step);
    await();
  }

  @Override
  public void start(Step step) {
    while (underWay > 0) {
      await();
    }
    start(step, 0, 0);
  }

  @Override
  public void startNext(Step step) {
    if (underWay != 1) {
      throw new IllegalStateException(underWay + " steps are under way, not one");
    }
    start(step, StepBuffer.SLOTS - 1 - newest, outputsOf[newest]);
  }

  private void start(Step step, int slot, int choices) {
    check.check(step, choices);
    resources.step.use(slot);
    resources.step.write(step);
    var shape = new Shape(shape(step), slot, step.wantsTop(), step.hasDraws());
    Recording recording = recordings.get(shape);
    if (recording == null) {
      recording = device.record();
      recording.barrier();
      record(shape, dispatcher(recording, shape.step.tokens(), false));
      if (shape.top && shape.step.outputs() > 0) {
        recording.barrier();
        GpuBuffer from = resources.scratch.largest;
        long to = slot * topBytes(capacity.maxOutputs());
        recording.copy(from, Scratch.topAt(capacity), top, to, topBytes(shape.step.outputs()));
      }
      keep(shape, recording);
    }
    recording.submit();
    steps[slot] = recording;
    outputsOf[slot] = step.outputCount();
    hasTop[slot] = step.wantsTop();
    newest = slot;
    underWay++;
  }

  private StepShape shape(Step step) {
    return StepShape.of(step, MatrixProducts.decodes(pipelines.matrixLayout(), step.tokenCount()));
  }

  @Override
  public void await() {
    if (underWay == 0) {
      throw new IllegalStateException("no step is under way");
    }
    done = underWay == 1 ? newest : StepBuffer.SLOTS - 1 - newest;
    underWay--;
    steps[done].await();
    outputs = outputsOf[done];
    rowsRead = 0;
  }

  private void keep(Record what, Recording recording) {
    recording.end();
    if (recordings.size() == MAX_RECORDINGS) {
      var eldest = recordings.values().iterator();
      eldest.next().close();
      eldest.remove();
    }
    recordings.put(what, recording);
  }

  private Dispatcher dispatcher(Recording recording, int tokens, boolean timed) {
    int most = pipelines.matrixLayout() == null ? Chain.MAX_TOKENS : Chain.MAX_MATRIX_TOKENS;
    Chain chain = chained && tokens <= most ? Chain.in(recording, resources.scratch.links) : null;
    return new Dispatcher(recording, chain, timed);
  }

  private void record(Shape shape, Dispatcher dispatcher) {
    new OpRecorder(
            graph, ops, capacity, pipelines, resources, dispatcher, device.info(), shape.step)
        .recordAll(shape.top, shape.draws);
  }

  @Override
  public StepProfile profile(Step step) {
    while (underWay > 0) {
      await();
    }
    check.check(step);
    done = 0;
    hasTop[done] = false;
    resources.step.use(done);
    resources.step.write(step);
    try (Recording recording = device.record(1 + MAX_DISPATCHES_AN_OP * (ops.size() + 1))) {
      Dispatcher dispatcher = dispatcher(recording, step.tokenCount(), true);
      record(new Shape(shape(step), done, false, false), dispatcher);
      recording.end();
      recording.run(); // the driver's first run of a recording is not its usual one
      long start = System.nanoTime();
      recording.run();
      long wall = System.nanoTime() - start;
      outputs = step.outputCount();
      rowsRead = 0;
      double[] at = recording.ticks();
      var parts = new ArrayList<StepProfile.Part>();
      for (int i = 0; i < dispatcher.timedParts().size(); i++) {
        Dispatcher.Timed t = dispatcher.timedParts().get(i);
        parts.add(new StepProfile.Part(t.kernel(), t.ops(), at[i], at[i + 1] - at[i]));
      }
      return new StepProfile(parts, wall);
    }
  }

  @Override
  public void logits(int output, float[] into) {
    requireOutput(output);
    if (underWay > 0) {
      throw new IllegalStateException("the step under way overwrites the logits");
    }
    if (output < firstRead || output >= firstRead + rowsRead) {
      int atOnce = rowsRead(graph, capacity);
      read(output / atOnce * atOnce);
    }
    MemorySegment.copy(
        logits.mapped(),
        ValueLayout.JAVA_FLOAT,
        4L * (output - firstRead) * vocabularySize(),
        into,
        0,
        vocabularySize());
  }

  /** Brings rows from {@code first} on of the logits to the host. */
  private void read(int first) {
    firstRead = first;
    rowsRead = Math.min(rowsRead(graph, capacity), outputs - first);
    long rowBytes = 4L * vocabularySize();
    var rows = new Rows(first, rowsRead);
    Recording copy = recordings.get(rows);
    if (copy == null) {
      copy = device.record();
      copy.copy(resources.memory(graph.logits()), first * rowBytes, logits, 0, rowsRead * rowBytes);
      keep(rows, copy);
    }
    copy.run();
  }

  @Override
  public int argmax(int output) {
    requireOutput(output);
    int largest = resources.step.largest(done, output);
    return largest >= 0 && largest < vocabularySize() ? largest : -1;
  }

  @Override
  public int choice(int output) {
    requireOutput(output);
    return resources.step.choice(done, output);
  }

  @Override
  public int leastTop() {
    return Math.min(Scratch.TOP_LEAST, vocabularySize());
  }

  @Override
  public int top(int output, int[] ids, float[] values) {
    requireOutput(output);
    if (!hasTop[done]) {
      return 0;
    }
    MemorySegment from = top.mapped();
    long at = ((long) done * capacity.maxOutputs() + output) * Scratch.TOP_WORDS;
    int count = from.getAtIndex(ValueLayout.JAVA_INT, at);
    if (count > TOP_ROOM) {
      return 0;
    }
    for (int i = 0; i < count; i++) {
      values[i] = from.getAtIndex(ValueLayout.JAVA_FLOAT, at + 1 + 2 * i);
      ids[i] = from.getAtIndex(ValueLayout.JAVA_INT, at + 2 + 2 * i);
    }
    return count;
  }

  private void requireOutput(int output) {
    if (output < 0 || output >= outputs) {
      throw new IllegalArgumentException(
          "output %d; the last step had %d".formatted(output, outputs));
    }
  }

  @Override
  public void close() {
    device.waitIdle();
    recordings.values().forEach(Recording::close);
    resources.close();
  }
}
