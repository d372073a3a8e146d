package dev.ridgeline.quantize;

import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.quantize.block.BlockEncoder;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/**
 * The bytes of all result tensors as one stream: threads encode ahead of the writer, a few
 * megabytes at most.
 */
final class Conversion implements AutoCloseable {
  /** About as many source elements make one piece of work. */
  private static final long PIECE_ELEMENTS = 1 << 18;

  /** Elements that are float32 at one time; they stay in the cache. A multiple of every block. */
  private static final int SLICE = 1 << 13;

  private static final int PIECES_AHEAD_PER_THREAD = 8;

  private final GgufFile source;
  private final QuantizePlan plan;
  private final Quantizer.Progress progress;
  private final long totalBytes;
  private final int ahead;
  private final ExecutorService threads;
  private final ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(Scratch::new);
  private final Iterator<Piece> pieces;
  private final ArrayDeque<Encoding> queue = new ArrayDeque<>();
  private final Map<Matrix, float[]> meansOf = new ConcurrentHashMap<>();
  private byte[] current = {};
  private int position;
  private long doneBytes;

  /** Some consecutive rows of a tensor. */
  private record Piece(TensorPlan tensor, long firstRow, long rows) {
    long sourceBytes() {
      return tensor.from().bytes(tensor.shape().ne0()) * rows;
    }
  }

  private record Matrix(String tensor, int index) {}

  private record Encoding(Piece piece, Future<byte[]> bytes) {}

  /** What a thread keeps for itself. */
  private static final class Scratch {
    private final float[] x = new float[SLICE];
    private final float[] importance = new float[SLICE];
    private final SourceReader reader = new SourceReader(SLICE);
    private final Map<DType, BlockEncoder> encoders = new EnumMap<>(DType.class);

    BlockEncoder encoder(DType type) {
      return encoders.computeIfAbsent(type, BlockEncoder::of);
    }
  }

  Conversion(
      GgufFile source, List<TensorPlan> tensors, QuantizePlan plan, Quantizer.Progress progress) {
    this.source = source;
    this.plan = plan;
    this.progress = progress;
    totalBytes = tensors.stream().mapToLong(TensorPlan::sourceBytes).sum();
    int count = plan.threads() == 0 ? Runtime.getRuntime().availableProcessors() : plan.threads();
    ahead = PIECES_AHEAD_PER_THREAD * count;
    threads =
        Executors.newFixedThreadPool(
            count, Thread.ofPlatform().daemon().name("quantize-", 0).factory());
    pieces = tensors.stream().flatMap(Conversion::pieces).iterator();
    warmUp(tensors);
  }

  /** Has the searches compiled while the first tensors are read; who needs one early waits. */
  private static void warmUp(List<TensorPlan> tensors) {
    List<DType> types =
        tensors.stream().filter(t -> !t.copied()).map(TensorPlan::to).distinct().toList();
    Thread.ofPlatform()
        .daemon()
        .name("quantize-warm-up")
        .start(() -> types.forEach(BlockEncoder::of));
  }

  private static Stream<Piece> pieces(TensorPlan tensor) {
    Shape shape = tensor.shape();
    long step = Math.max(1, PIECE_ELEMENTS / Math.max(1, shape.ne0()));
    return Stream.iterate(0L, row -> row < shape.rows(), row -> row + step)
        .map(row -> new Piece(tensor, row, Math.min(step, shape.rows() - row)));
  }

  /** Fills {@code rows} with the next bytes of the stream. */
  void fill(long firstRow, MemorySegment rows) throws IOException {
    for (long at = 0; at < rows.byteSize(); ) {
      if (position == current.length) {
        next();
      }
      int count = (int) Math.min(current.length - position, rows.byteSize() - at);
      MemorySegment.copy(current, position, rows, ValueLayout.JAVA_BYTE, at, count);
      position += count;
      at += count;
    }
  }

  private void next() throws IOException {
    while (queue.size() < ahead && pieces.hasNext()) {
      Piece piece = pieces.next();
      queue.add(new Encoding(piece, threads.submit(() -> encode(piece))));
    }
    Encoding first = queue.remove();
    try {
      current = first.bytes.get();
      position = 0;
    } catch (ExecutionException e) {
      throw rethrown(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    doneBytes += first.piece.sourceBytes();
    progress.at(first.piece.tensor.name(), doneBytes, totalBytes);
  }

  private static RuntimeException rethrown(ExecutionException e) {
    return switch (e.getCause()) {
      case RuntimeException failure -> failure;
      case Error error -> throw error;
      case null, default -> new IllegalStateException(e);
    };
  }

  private byte[] encode(Piece piece) {
    TensorPlan tensor = piece.tensor;
    Tensor from = source.tensor(tensor.name());
    long columns = tensor.shape().ne0();
    long first = piece.firstRow * columns;
    long count = piece.rows * columns;
    byte[] bytes = new byte[Math.toIntExact(tensor.to().bytes(count))];
    if (tensor.copied()) {
      long at = from.type().bytes(first);
      MemorySegment.copy(from.data(), ValueLayout.JAVA_BYTE, at, bytes, 0, bytes.length);
      return bytes;
    }
    Scratch s = scratch.get();
    BlockEncoder encoder = s.encoder(tensor.to());
    for (long done = 0; done < count; done += SLICE) {
      int n = (int) Math.min(SLICE, count - done);
      s.reader.read(from, first + done, s.x, n);
      checkFinite(tensor, s.x, n, first + done);
      float[] importance =
          tensor.weighted() ? importance(tensor, first + done, s.importance, n) : null;
      encoder.encode(s.x, importance, n, bytes, (int) tensor.to().bytes(done));
    }
    return bytes;
  }

  private static void checkFinite(TensorPlan tensor, float[] x, int n, long first) {
    // 0 unless an element is infinite or NaN; four sums, as each addition waits for the last.
    float a = 0;
    float b = 0;
    float c = 0;
    float d = 0;
    int whole = n & -4;
    for (int i = 0; i < whole; i += 4) {
      a += x[i] * 0;
      b += x[i + 1] * 0;
      c += x[i + 2] * 0;
      d += x[i + 3] * 0;
    }
    for (int i = whole; i < n; i++) {
      a += x[i] * 0;
    }
    float sum = a + b + c + d;
    if (sum == 0 || !tensor.to().isQuantized()) {
      return;
    }
    for (int i = 0; i < n; i++) {
      if (!Float.isFinite(x[i])) {
        long columns = tensor.shape().ne0();
        throw new IllegalArgumentException(
            "tensor '%s' row %d column %d is %s; %s holds finite numbers only"
                .formatted(
                    tensor.name(),
                    (first + i) / columns,
                    (first + i) % columns,
                    x[i],
                    tensor.to()));
      }
    }
  }

  /** The importance of elements {@code first..first + n}: that of their columns. */
  private float[] importance(TensorPlan tensor, long first, float[] into, int n) {
    Importance.Entry entry =
        plan.importance().map(i -> i.entry(tensor.name())).orElseThrow(IllegalStateException::new);
    Shape shape = tensor.shape();
    int columns = (int) shape.ne0();
    long matrixElements = columns * shape.ne1();
    for (int i = 0; i < n; ) {
      int matrix = (int) ((first + i) / matrixElements);
      int column = (int) ((first + i) % columns);
      int run = Math.min(columns - column, n - i);
      System.arraycopy(means(tensor.name(), entry, columns, matrix), column, into, i, run);
      i += run;
    }
    return into;
  }

  private float[] means(String tensor, Importance.Entry entry, int columns, int matrix) {
    return meansOf.computeIfAbsent(new Matrix(tensor, matrix), _ -> entry.means(columns, matrix));
  }

  @Override
  public void close() {
    threads.shutdownNow();
    threads.close();
  }
}
