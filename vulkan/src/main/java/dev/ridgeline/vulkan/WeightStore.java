package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Weights;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Tensor;
import dev.ridgeline.vulkan.device.GpuBuffer;
import dev.ridgeline.vulkan.device.GpuDevice;
import dev.ridgeline.vulkan.device.GpuPipeline;
import dev.ridgeline.vulkan.device.QueueCopy;
import dev.ridgeline.vulkan.device.Recording;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The weights of a graph in device memory, in the planes of {@link WeightLayout}. Uploaded once:
 * while the device takes one staging buffer apart into planes, the host fills the other. On a card
 * with a queue that only copies, the host fills pinned memory of its own, that queue brings it
 * over, and the compute queue takes it apart, all three at the same time.
 */
final class WeightStore implements AutoCloseable {
  /** Large enough to hide the cost of a submission, small enough to be nothing beside a model. */
  private static final int STAGING_BYTES = 32 << 20;

  /** What one thread copies at a time. */
  private static final long COPY_BYTES = 2L << 20;

  /** Weights of one buffer, where they are smaller: few allocations for thousands of tensors. */
  private static final long CHUNK_BYTES = 1L << 30;

  private final GpuDevice device;
  private final Map<Weight, long[]> planes = new LinkedHashMap<>();
  private final List<GpuBuffer> chunks = new ArrayList<>();

  /** Allocates and uploads every weight of {@code graph}. */
  WeightStore(GpuDevice device, Pipelines pipelines, Graph graph, Weights weights) {
    this.device = device;
    boolean done = false;
    try {
      allocate(groups(graph));
      upload(pipelines, weights);
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  /** The weights that {@code graph} reads, each once. */
  static Set<Weight> weights(Graph graph) {
    var all = new LinkedHashSet<Weight>();
    graph.ops().forEach(op -> all.addAll(op.weights()));
    return all;
  }

  /**
   * The same in groups whose members lie one after the other in each plane, as if they were one
   * matrix: what one dispatch multiplies. Members have one type and multiples of 16 blocks.
   */
  private static List<List<Weight>> groups(Graph graph) {
    var groups = new ArrayList<List<Weight>>();
    var placed = new LinkedHashSet<Weight>();
    for (Op op : graph.ops()) {
      List<Weight> matrices =
          switch (op) {
            case Op.MatMul m -> m.products().stream().map(Op.Product::weight).toList();
            case Op.GatedMatMul m -> List.of(m.gate(), m.up());
            default -> List.of();
          };
      var biases = new ArrayList<Weight>(op.weights());
      biases.removeAll(matrices);
      addRuns(matrices, placed, groups);
      addRuns(biases, placed, groups);
    }
    return groups;
  }

  /** Adds {@code weights} that are not placed yet, those that may lie together in one group. */
  private static void addRuns(List<Weight> weights, Set<Weight> placed, List<List<Weight>> groups) {
    List<Weight> run = new ArrayList<>();
    for (Weight weight : weights) {
      if (!placed.add(weight)) {
        continue;
      }
      boolean joins =
          !run.isEmpty()
              && run.getLast().type() == weight.type()
              && (run.getLast().cols() == weight.cols() || weight.rows() == 1)
              && run.stream().allMatch(w -> w.experts() == 1 && blocks(w) % 16 == 0)
              && weight.experts() == 1
              && blocks(weight) % 16 == 0;
      if (!joins) {
        run = new ArrayList<>();
        groups.add(run);
      }
      run.add(weight);
    }
  }

  /** Device bytes of {@code weight}. */
  static long bytes(Weight weight) {
    return WeightLayout.of(weight.type()).bytes(blocks(weight));
  }

  /** Bytes for the upload: two buffers, and two more on the device where a queue copies to it. */
  static long stagingBytes(GpuDevice device) {
    return (device.copiesByQueue() ? 4L : 2L) * STAGING_BYTES;
  }

  /** Addresses of the planes of {@code weight}, {@link WeightLayout#MAX_PLANES} of them. */
  long[] planes(Weight weight) {
    long[] found = planes.get(weight);
    if (found == null) {
      throw new IllegalArgumentException(weight + " is not a weight of this graph");
    }
    return found;
  }

  /** Whether {@code next} lies right after {@code weight} in every plane: both as one matrix. */
  boolean follows(Weight weight, Weight next) {
    long[] first = planes(weight);
    long[] second = planes(next);
    List<Integer> lengths = WeightLayout.of(weight.type()).planes();
    boolean follows = weight.type() == next.type();
    for (int i = 0; follows && i < lengths.size(); i++) {
      follows = second[i] == first[i] + blocks(weight) * lengths.get(i);
    }
    return follows;
  }

  /** Planes 1 to 3 of {@code weight}, in units of 16 bytes from plane 0. */
  int[] units(Weight weight) {
    long[] all = planes(weight);
    int[] units = new int[WeightLayout.MAX_PLANES - 1];
    for (int i = 1; i < all.length; i++) {
      long distance = all[i] == 0 ? 0 : all[i] - all[0];
      if (distance % 16 != 0 || distance >> 36 != 0) {
        throw new IllegalStateException(weight + ": plane " + i + " is " + distance + " bytes on");
      }
      units[i - 1] = (int) (distance >> 4);
    }
    return units;
  }

  static long blocks(Weight weight) {
    return (long) weight.experts()
        * weight.rows()
        * (weight.cols() / weight.type().blockElements());
  }

  private void allocate(List<List<Weight>> groups) {
    long largest = device.info().maxBufferBytes();
    var chunk = new ArrayList<List<Weight>>();
    long bytes = 0;
    for (List<Weight> group : within(groups, largest)) {
      group.forEach(WeightStore::requireCountable);
      long more = groupBytes(group);
      if (bytes > 0 && bytes + more > Math.min(CHUNK_BYTES, largest)) {
        place(chunk, bytes);
        chunk.clear();
        bytes = 0;
      }
      chunk.add(group);
      bytes += more;
    }
    if (!chunk.isEmpty()) {
      place(chunk, bytes);
    }
  }

  /**
   * Groups of more bytes than a buffer may have fall apart: each weight is multiplied by itself.
   */
  private List<List<Weight>> within(List<List<Weight>> groups, long largest) {
    var result = new ArrayList<List<Weight>>();
    for (List<Weight> group : groups) {
      if (groupBytes(group) <= largest) {
        result.add(group);
      } else {
        group.forEach(weight -> result.add(List.of(weight)));
      }
    }
    for (List<Weight> group : result) {
      if (groupBytes(group) > largest) {
        Weight weight = group.getFirst();
        throw new IllegalArgumentException(
            ("tensor '%s' takes %.3f GB on the device; %s allows %.3f GB a buffer; use a model in which"
                    + " it is quantized, fewer --gpu-layers, or --backend cpu")
                .formatted(
                    weight.tensor(), groupBytes(group) / 1e9, device.info().name(), largest / 1e9));
      }
    }
    return result;
  }

  private static void requireCountable(Weight weight) {
    if (blocks(weight) >= 1L << 31) {
      throw new IllegalArgumentException(
          "weight '%s' has %d blocks; the device's kernels count to 2^31"
              .formatted(weight.tensor(), blocks(weight)));
    }
  }

  private static long groupBytes(List<Weight> group) {
    long blocks = group.stream().mapToLong(WeightStore::blocks).sum();
    return WeightLayout.of(group.getFirst().type()).bytes(blocks);
  }

  private void place(List<List<Weight>> chunk, long bytes) {
    GpuBuffer buffer = device.buffer(bytes, GpuBuffer.Use.DEVICE);
    chunks.add(buffer);
    long at = buffer.address();
    for (List<Weight> group : chunk) {
      WeightLayout layout = WeightLayout.of(group.getFirst().type());
      List<Long> starts = layout.starts(group.stream().mapToLong(WeightStore::blocks).sum());
      long before = 0;
      for (Weight weight : group) {
        long[] addresses = new long[WeightLayout.MAX_PLANES];
        for (int i = 0; i < starts.size(); i++) {
          addresses[i] = at + starts.get(i) + before * layout.planes().get(i);
        }
        planes.put(weight, addresses);
        before += blocks(weight);
      }
      at += groupBytes(group);
    }
  }

  private void upload(Pipelines pipelines, Weights weights) {
    try (var a = new Staging(device, pipelines);
        var b = new Staging(device, pipelines)) {
      Staging filling = a;
      for (Weight weight : planes.keySet()) {
        DType type = weight.type();
        Tensor tensor = weights.tensor(weight);
        MemorySegment bytes =
            tensor.data().asSlice(weight.firstRow() * tensor.rowBytes(), weight.bytes());
        long perStaging = STAGING_BYTES / type.blockBytes();
        long all = blocks(weight);
        for (long first = 0; first < all; ) {
          long count = Math.min(all - first, filling.room(type));
          if (count < Math.min(all - first, perStaging / 8)) {
            filling.submit();
            filling = filling == a ? b : a;
            filling.reset();
            continue;
          }
          filling.add(bytes, type, first, count, planes(weight));
          first += count;
        }
      }
      filling.submit();
    }
  }

  @Override
  public void close() {
    chunks.forEach(GpuBuffer::close);
  }

  /** A staging buffer and the commands that take it apart. */
  private static final class Staging implements AutoCloseable {
    private final GpuDevice device;
    private final Pipelines pipelines;
    private final Opened open = new Opened();
    private final GpuBuffer buffer;

    /** Where {@link #copy} brings what is in the buffer; the buffer itself where nothing copies. */
    private final GpuBuffer onDevice;

    private final @Nullable QueueCopy copy;
    private final Push push = new Push();
    private Recording recording;
    private boolean running;
    private long used;

    Staging(GpuDevice device, Pipelines pipelines) {
      this.device = device;
      this.pipelines = pipelines;
      boolean copies = device.copiesByQueue();
      boolean done = false;
      try {
        buffer =
            open.add(
                device.buffer(STAGING_BYTES, copies ? GpuBuffer.Use.PINNED : GpuBuffer.Use.UPLOAD));
        onDevice = copies ? open.add(device.buffer(STAGING_BYTES, GpuBuffer.Use.STAGED)) : buffer;
        copy = copies ? open.add(device.copy(buffer, onDevice)) : null;
        recording = device.record();
        done = true;
      } finally {
        if (!done) {
          open.close();
        }
      }
    }

    /** Blocks of {@code type} that still fit. */
    long room(DType type) {
      return (STAGING_BYTES - used) / type.blockBytes();
    }

    /** Copies blocks {@code first .. first + count} of {@code bytes}; records their way on. */
    void add(MemorySegment bytes, DType type, long first, long count, long[] planes) {
      int stride = type.blockBytes();
      copy(bytes.asSlice(first * stride, count * stride), buffer.mapped().asSlice(used));
      if (WeightLayout.isRegrouped(type)) {
        regroup(type, first, count, planes);
      } else {
        repack(type, first, count, planes);
      }
      used = (used + count * stride + 15) & ~15L;
    }

    private void repack(DType type, long first, long count, long[] planes) {
      List<Integer> lengths = WeightLayout.of(type).planes();
      int offset = 0;
      for (int i = 0; i < lengths.size(); i++) {
        int length = lengths.get(i);
        int unit = length % 4 == 0 ? 4 : length % 2 == 0 ? 2 : 1;
        GpuPipeline pipeline = pipelines.get(Kernel.plain("repack"), Dispatcher.GROUP, unit);
        int units = Math.toIntExact(count * length / unit);
        push.clear()
            .addresses(onDevice.address() + used, planes[i] + first * length)
            .ints(units, type.blockBytes(), offset, length);
        Dispatcher.dispatch(recording, pipeline, push, Dispatcher.groups(units), 1);
        offset += length;
      }
    }

    private void regroup(DType type, long first, long count, long[] planes) {
      List<Integer> lengths = WeightLayout.of(type).planes();
      long[] to = planes.clone();
      for (int i = 0; i < lengths.size(); i++) {
        to[i] += first * lengths.get(i);
      }
      int units = Math.toIntExact(count * type.blockElements() / 32);
      push.clear().addresses(onDevice.address() + used).addresses(to).ints(units);
      Dispatcher.dispatch(
          recording,
          pipelines.get(Kernel.of("regroup", type), Dispatcher.GROUP),
          push,
          Dispatcher.groups(units),
          1);
    }

    /** By several threads: one alone copies more slowly than memory, and than a card's bus. */
    private static void copy(MemorySegment from, MemorySegment to) {
      int parts = (int) ((from.byteSize() + COPY_BYTES - 1) / COPY_BYTES);
      IntStream.range(0, parts)
          .parallel()
          .forEach(
              i -> {
                long at = i * COPY_BYTES;
                long length = Math.min(COPY_BYTES, from.byteSize() - at);
                MemorySegment.copy(from, at, to, at, length);
              });
    }

    void submit() {
      recording.end();
      if (copy == null) {
        recording.submit();
      } else {
        recording.submitAfter(copy);
      }
      running = true;
    }

    /** Waits for what was submitted and starts anew. */
    void reset() {
      if (running) {
        recording.await();
        recording.close();
        recording = device.record();
        running = false;
        used = 0;
      }
    }

    @Override
    public void close() {
      try {
        if (running) {
          recording.await();
        }
      } finally {
        recording.close();
        open.close();
      }
    }
  }
}
