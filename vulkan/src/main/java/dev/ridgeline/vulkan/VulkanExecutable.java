package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.backend.Step;
import dev.ridgeline.backend.StepCheck;
import dev.ridgeline.backend.StepProfile;
import dev.ridgeline.backend.Weights;
import dev.ridgeline.graph.Graph;
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
 * A graph on a device. The first step of each shape (tokens, outputs) is recorded; later ones only
 * write the step buffer and submit the recording again.
 */
final class VulkanExecutable implements Executable {
  /** Recordings kept: the shapes of generation, and some of the ragged ends of prompts. */
  private static final int MAX_RECORDINGS = 64;

  /** Most bytes of logits that one copy brings to the host. */
  private static final long READ_BYTES = 16L << 20;

  /** Products of many tokens decode their weights in pieces. */
  private static final int MAX_DISPATCHES_AN_OP = 64;

  private record Shape(int tokens, int outputs) {}

  private final GpuDevice device;
  private final Pipelines pipelines;
  private final Graph graph;
  private final List<GpuOp> ops;
  private final Capacity capacity;
  private final StepCheck check;
  private final Resources resources;
  private final GpuBuffer argmax;
  private final GpuBuffer logits;
  private final Map<Shape, Recording> recordings = new LinkedHashMap<>(16, 0.75f, true);
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
    check = new StepCheck(graph, capacity);
    resources = new Resources(device, pipelines, graph, ops, weights, capacity);
    argmax = resources.add(4L * capacity.maxOutputs(), GpuBuffer.Use.READBACK);
    logits = resources.add(logitsBytes(graph, capacity), GpuBuffer.Use.READBACK);
  }

  /** Host bytes through which logits come back. */
  static long logitsBytes(Graph graph, Capacity capacity) {
    return 4L * graph.logits().width() * rowsRead(graph, capacity);
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
  public void run(Step step) {
    check.check(step);
    resources.step.write(step);
    var shape = new Shape(step.tokenCount(), step.outputCount());
    Recording recording = recordings.get(shape);
    if (recording == null) {
      recording = record(shape);
    }
    recording.run();
    outputs = step.outputCount();
    rowsRead = 0;
  }

  private Recording record(Shape shape) {
    if (recordings.size() == MAX_RECORDINGS) {
      var eldest = recordings.values().iterator();
      eldest.next().close();
      eldest.remove();
    }
    Recording recording = device.record();
    record(shape, new Dispatcher(recording, false));
    recording.end();
    recordings.put(shape, recording);
    return recording;
  }

  private void record(Shape shape, Dispatcher dispatcher) {
    new OpRecorder(
            graph,
            ops,
            capacity,
            pipelines,
            resources,
            dispatcher,
            device.info(),
            shape.tokens,
            shape.outputs)
        .recordAll(argmax);
  }

  @Override
  public StepProfile profile(Step step) {
    check.check(step);
    resources.step.write(step);
    try (Recording recording = device.record(1 + MAX_DISPATCHES_AN_OP * (ops.size() + 1))) {
      var dispatcher = new Dispatcher(recording, true);
      record(new Shape(step.tokenCount(), step.outputCount()), dispatcher);
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
    try (Recording copy = device.record()) {
      copy.copy(resources.memory(graph.logits()), first * rowBytes, logits, 0, rowsRead * rowBytes);
      copy.end();
      copy.run();
    }
  }

  @Override
  public int argmax(int output) {
    requireOutput(output);
    return argmax.mapped().getAtIndex(ValueLayout.JAVA_INT, output);
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
