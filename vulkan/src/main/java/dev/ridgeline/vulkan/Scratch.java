package dev.ridgeline.vulkan;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.Executable;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.Weight;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.vulkan.device.GpuBuffer;
import dev.ridgeline.vulkan.device.GpuDevice;

/**
 * Device memory beside the values of a graph: activations in the forms that products want, weights
 * decoded for products of many tokens, parts of attention and of the largest logit.
 */
final class Scratch implements AutoCloseable {
  /** Numbers for {@link Dispatcher#uses}. */
  static final int QUANTIZED = Integer.MAX_VALUE;

  static final int GATED = Integer.MAX_VALUE - 1;
  static final int HALVES = Integer.MAX_VALUE - 2;
  static final int PARTIALS = Integer.MAX_VALUE - 3;
  static final int LARGEST = Integer.MAX_VALUE - 4;
  static final int DECODED = Integer.MAX_VALUE - 5;

  /**
   * Decoded weights at a time, twice: all of a matrix of a model of 8 B, so that its tiles fill a
   * large device. (Less, to stay in its last cache, was slower: 20 MB halved the speed on an H200.)
   */
  private static final long DECODED_BYTES = 128L << 20;

  /** Parts of a row of logits whose largest elements are found side by side. */
  static final int LARGEST_PARTS = 256;

  /** So many of the largest logits of a row are always in its list, if it has as many. */
  static final int TOP_LEAST = 64;

  /** Words of the list of a row: how many there are, and for each its bits and its index. */
  static final int TOP_WORDS = 1 + 2 * Executable.TOP_ROOM;

  /**
   * Bytes of each buffer.
   *
   * @param quantized elements as int8 of the inputs of products
   * @param gated the same of the results of gated products
   * @param halves bytes of rows as float16 with their powers
   */
  record Sizes(
      long quantized,
      long gated,
      long halves,
      long powers,
      long decoded,
      long partials,
      long counters,
      long largest) {
    /** All of them. */
    long bytes() {
      return QuantizedX.bytes(quantized)
          + QuantizedX.bytes(gated)
          + halves
          + powers
          + 2 * decoded
          + partials
          + counters
          + largest
          + Chain.BYTES;
    }
  }

  final QuantizedX quantized;
  final QuantizedX gated;
  final GpuBuffer halves;
  final GpuBuffer powers;

  /** Parts of attention, and from {@link #countersAt} on counters of those that have finished. */
  final GpuBuffer partials;

  final GpuBuffer largest;

  /** Counters of {@link Chain}. */
  final GpuBuffer links;

  private final GpuBuffer decoded;
  private final Sizes sizes;
  private final Opened open = new Opened();

  Scratch(GpuDevice device, Graph graph, Capacity capacity) {
    sizes = sizes(graph, capacity, MatrixProducts.has(device.info()));
    boolean done = false;
    try {
      quantized = open.add(QuantizedX.allocate(device, sizes.quantized));
      gated = open.add(QuantizedX.allocate(device, sizes.gated));
      halves = open.add(device.buffer(sizes.halves, GpuBuffer.Use.DEVICE));
      powers = open.add(device.buffer(sizes.powers, GpuBuffer.Use.DEVICE));
      partials = open.add(device.buffer(sizes.partials + sizes.counters, GpuBuffer.Use.DEVICE));
      largest = open.add(device.buffer(sizes.largest, GpuBuffer.Use.DEVICE));
      links = open.add(device.buffer(Chain.BYTES, GpuBuffer.Use.DEVICE));
      decoded = open.add(device.buffer(2 * sizes.decoded, GpuBuffer.Use.DEVICE));
      if (sizes.counters > 0) {
        try (var clear = device.record()) {
          clear.clear(partials, sizes.partials, sizes.counters);
          clear.end();
          clear.run();
        }
      }
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  /** Where the lists of the largest logits begin in {@link #largest}. */
  static long topAt(Capacity capacity) {
    return 8L * capacity.maxOutputs() * LARGEST_PARTS;
  }

  /** Where decoded weights go; two halves take turns. */
  long decoded(int half) {
    return decoded.address() + half * sizes.decoded;
  }

  /** Bytes of each half of {@link #decoded}. */
  long decodedBytes() {
    return sizes.decoded;
  }

  /** Where the counters of {@link #partials} begin, in words. */
  int countersAt() {
    return Math.toIntExact(sizes.partials / Integer.BYTES);
  }

  static Sizes sizes(Graph graph, Capacity capacity, boolean matrices) {
    long few = Math.min(capacity.maxTokens(), Products.MAX_VEC_TOKENS);
    long rows = Math.min(capacity.maxTokens(), StepShape.MAX_ROWS);
    long quantized = 0;
    long gated = 0;
    long halves = 0;
    long decoded = 0;
    long partials = 0;
    long counters = 0;
    boolean many = capacity.maxTokens() > few;
    long paddedRows = (capacity.maxTokens() + 255L) / 256 * 256;
    for (Op op : graph.ops()) {
      switch (op) {
        case Op.MatMul _, Op.GatedMatMul _ -> {
          long cols = op.inputs().getFirst().width();
          quantized = Math.max(quantized, few * cols);
          for (Weight weight : op.weights()) {
            if (matrices && MatrixProducts.fits(weight)) {
              int terms = weight.type() == DType.F16 ? 2 : 1;
              halves = Math.max(halves, 2L * terms * paddedRows * cols);
              decoded =
                  Math.max(
                      decoded,
                      many ? 4L * weight.cols() * ((weight.rows() + 127L) / 128 * 128) : 0);
            }
          }
          if (op instanceof Op.GatedMatMul m) {
            gated = Math.max(gated, few * m.gate().rows());
          }
        }
        case Op.ExpertMatMul m ->
            quantized = Math.max(quantized, (long) capacity.maxTokens() * m.x().width());
        case Op.Attention a -> {
          long heads = rows * a.headCount();
          quantized = Math.max(quantized, few * a.headCount() * a.layer().valueDim());
          partials =
              Math.max(partials, 4 * heads * AttentionRecorder.PARTS * (a.layer().valueDim() + 2L));
          counters = Math.max(counters, 4 * heads);
        }
        default -> {}
      }
    }
    return new Sizes(
        (quantized + 31) / 32 * 32,
        (gated + 31) / 32 * 32,
        halves,
        4 * paddedRows,
        Math.min(decoded, DECODED_BYTES),
        partials,
        counters,
        topAt(capacity) + 4L * capacity.maxOutputs() * TOP_WORDS);
  }

  @Override
  public void close() {
    open.close();
  }
}
