package dev.ridgeline.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufFileTest {
  @TempDir Path folder;

  /** Every kind of value and two tensors; the last byte of the file is the last tensor's. */
  private static byte[] wellFormed() {
    return RawGguf.start(3, 2, 10)
        .pair("int", MetadataValue.uint32(1))
        .pair("float", MetadataValue.float32(1.5))
        .pair("bool", new MetadataValue.Bool(true))
        .pair("text", new MetadataValue.Text("käse"))
        .pair("ints", new MetadataValue.Ints(MetadataType.INT16, new long[] {-1, 2}))
        .pair("floats", new MetadataValue.Reals(MetadataType.FLOAT64, new double[] {0.5}))
        .pair("bools", new MetadataValue.Bools(new boolean[] {true, false}))
        .pair("texts", new MetadataValue.Texts(List.of("a", "", "b")))
        .pair(
            "arrays",
            new MetadataValue.Arrays(List.of(new MetadataValue.Bools(new boolean[] {true}))))
        .pair(Format.ALIGNMENT_KEY, MetadataValue.uint32(16))
        .tensor("first", DType.F32.id(), 0, 3)
        .tensor("second", DType.Q8_0.id(), 16, 32, 2)
        .pad(16)
        .bytes(new byte[12])
        .pad(16)
        .bytes(new byte[68])
        .toBytes();
  }

  private Path write(String name, byte[] bytes) throws IOException {
    return Files.write(folder.resolve(name), bytes);
  }

  private Path writeZeros(String name, Shape shape) throws IOException {
    Path path = folder.resolve(name);
    new GgufWriter(Map.of())
        .tensor("t", DType.F32, shape, (firstRow, rows) -> rows.fill((byte) 0))
        .write(path);
    return path;
  }

  @Test
  void everyKindOfValueAndTensorIsPresented() throws IOException {
    try (GgufFile file = GgufFile.open(write("m.gguf", wellFormed()))) {
      Metadata metadata = file.metadata();
      assertThat(metadata.integer("int")).isEqualTo(1);
      assertThat(metadata.number("float")).isEqualTo(1.5);
      assertThat(metadata.bool("bool")).isTrue();
      assertThat(metadata.string("text")).isEqualTo("käse");
      assertThat(metadata.integers("ints")).containsExactly(-1, 2);
      assertThat(metadata.numbers("floats")).containsExactly(0.5);
      assertThat(metadata.bools("bools")).containsExactly(true, false);
      assertThat(metadata.strings("texts")).containsExactly("a", "", "b");
      assertThat(metadata.values().get("arrays"))
          .isInstanceOfSatisfying(
              MetadataValue.Arrays.class, arrays -> assertThat(arrays.count()).isEqualTo(1));
      assertThat(file.tensors().keySet()).containsExactly("first", "second");
      assertThat(file.tensor("second").shape()).isEqualTo(Shape.of(32, 2));
      assertThat(file.tensor("second").type()).isEqualTo(DType.Q8_0);
    }
  }

  @Test
  void aFileCutAtAnyByteIsRefused() throws IOException {
    Path path = write("cut.gguf", wellFormed());
    try (RandomAccessFile cut = new RandomAccessFile(path.toFile(), "rw")) {
      for (long length = cut.length() - 1; length >= 0; length--) {
        cut.setLength(length);
        assertThatThrownBy(() -> GgufFile.open(path))
            .as("cut at byte %d", length)
            .isInstanceOf(GgufException.class)
            .message()
            .hasLineCount(1);
      }
    }
  }

  @Test
  void aFileWithAnyBitTurnedIsOpenedOrRefused() throws IOException {
    byte[] bytes = wellFormed();
    Path path = write("turned.gguf", bytes);
    try (RandomAccessFile turned = new RandomAccessFile(path.toFile(), "rw")) {
      for (int bit = 0; bit < 8 * bytes.length; bit++) {
        turned.seek(bit / 8);
        turned.write(bytes[bit / 8] ^ 1 << bit % 8);
        try (GgufFile file = GgufFile.open(path)) {
          assertThat(file.byteSize()).isEqualTo(bytes.length);
        } catch (GgufException e) {
          assertThat(e).message().hasLineCount(1);
        }
        turned.seek(bit / 8);
        turned.write(bytes[bit / 8]);
      }
    }
  }

  @Test
  void stringsOfAnyLengthUpToTheBoundAreRead() throws IOException {
    Map<String, MetadataValue> metadata = new LinkedHashMap<>();
    for (int length : new int[] {0, 1, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, 1 << 20}) {
      metadata.put("a" + length, new MetadataValue.Text("x".repeat(length)));
      metadata.put("b" + length, MetadataValue.uint32(length));
    }
    Path path = folder.resolve("long.gguf");
    new GgufWriter(metadata).write(path);
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.metadata().values()).isEqualTo(metadata);
    }
  }

  @Test
  void tensorsMayLieInAnyOrderAndWithGaps() throws IOException {
    Path path =
        write(
            "gaps.gguf",
            RawGguf.start(2, 2, 0)
                .tensor("last", DType.I8.id(), 96, 3)
                .tensor("scalar", DType.F32.id(), 32)
                .pad(32)
                .zeros(96)
                .bytes((byte) 7, (byte) 8, (byte) 9)
                .toBytes());
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.version()).isEqualTo(2);
      assertThat(file.tensor("last").data().toArray(ValueLayout.JAVA_BYTE))
          .containsExactly(7, 8, 9);
      assertThat(file.tensor("scalar").shape()).isEqualTo(Shape.of(1));
    }
  }

  @Test
  void tensorNamesMayBeLongerThanSixtyFourBytesUpToABound() throws IOException {
    String name = "t".repeat(Format.MAX_TENSOR_NAME_BYTES);
    Path path =
        write("l.gguf", RawGguf.start(3, 1, 0).tensor(name, 24, 0, 1).pad(32).u8(1).toBytes());
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.tensor(name).data().byteSize()).isEqualTo(1);
    }
    Path longer =
        write("m.gguf", RawGguf.start(3, 1, 0).tensor(name + "t", 24, 0, 1).zeros(64).toBytes());
    assertThatThrownBy(() -> GgufFile.open(longer))
        .hasMessageContaining("@ byte 24: a tensor's name has length 1025; expected at most 1024");
  }

  @Test
  void boundsHoldEvenWhereTheFileIsLargeEnough() throws IOException {
    Path array = folder.resolve("array.gguf");
    extend(array, onePair(MetadataType.ARRAY).array(MetadataType.UINT8.id(), 1 << 30), 1L << 31);
    assertThatThrownBy(() -> GgufFile.open(array))
        .hasMessageEndingWith(
            "@ byte 41: the array's length is 1073741824; expected at most 4194304");
    Path string = folder.resolve("string.gguf");
    extend(string, onePair(MetadataType.STRING).u64(1 << 30), 1L << 31);
    assertThatThrownBy(() -> GgufFile.open(string))
        .hasMessageEndingWith(
            "@ byte 37: a string has length 1073741824; expected at most 67108864 bytes");
    Path pairs = folder.resolve("pairs.gguf");
    extend(pairs, RawGguf.start(3, 0, 1 << 20), 1L << 31);
    assertThatThrownBy(() -> GgufFile.open(pairs))
        .hasMessageEndingWith(
            "@ byte 16: the number of metadata pairs is 1048576; expected at most 65536");
    Path tensors = folder.resolve("tensors.gguf");
    extend(tensors, RawGguf.start(3, 1 << 20, 0), 1L << 31);
    assertThatThrownBy(() -> GgufFile.open(tensors))
        .hasMessageEndingWith(
            "@ byte 8: the number of tensors is 1048576; expected at most 262144");
  }

  private static RawGguf onePair(MetadataType type) {
    return RawGguf.start(3, 0, 1).key("k", type);
  }

  /** A file of {@code bytes} bytes that starts with {@code start}; the rest takes no space. */
  private static void extend(Path path, RawGguf start, long bytes) throws IOException {
    Files.write(path, start.toBytes());
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(bytes);
    }
  }

  @Test
  void openingReadsNoTensorData() throws IOException {
    Path path = folder.resolve("large.gguf");
    extend(
        path,
        RawGguf.start(3, 1, 0).tensor("t", DType.F32.id(), 0, 1L << 16, 1L << 18),
        (1L << 36) + 96);
    long before = bytesRead();
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.tensor("t").data().byteSize()).isEqualTo(1L << 36);
      assertThat(file.tensor("t").data().get(ValueLayout.JAVA_INT, (1L << 36) - 4)).isZero();
    }
    assertThat(bytesRead() - before).isLessThan(4 << 20);
  }

  /** Bytes that this process asked the system to read so far. */
  private static long bytesRead() throws IOException {
    Path counters = Path.of("/proc/self/io");
    assumeTrue(Files.isReadable(counters), "needs /proc/self/io");
    return Long.parseLong(Files.readAllLines(counters).getFirst().replace("rchar: ", ""));
  }

  @Test
  void closingReleasesMappingAndFile() throws IOException {
    Path path = writeZeros("released.gguf", Shape.of(1024));
    GgufFile file = GgufFile.open(path);
    assertThat(mentions(path)).as("while open").isEqualTo(2);
    Tensor tensor = file.tensor("t");
    file.close();
    assertThat(mentions(path)).as("after closing").isZero();
    assertThatThrownBy(() -> tensor.data().get(ValueLayout.JAVA_BYTE, 0))
        .isInstanceOf(IllegalStateException.class);
    assertThatCode(file::close).as("closing again").doesNotThrowAnyException();
  }

  @Test
  void aRefusedFileIsReleased() throws IOException {
    Path path = writeZeros("refused.gguf", Shape.of(1024));
    extend(path, new RawGguf().bytes(Files.readAllBytes(path)), 128);
    assertThatThrownBy(() -> GgufFile.open(path)).isInstanceOf(GgufException.class);
    assertThat(mentions(path)).isZero();
  }

  /** How many mappings and open files of this process are of {@code path}. */
  private static long mentions(Path path) throws IOException {
    assumeTrue(Files.exists(Path.of("/proc/self/maps")), "needs /proc/self/maps");
    long maps;
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
      maps = lines.filter(line -> line.endsWith(path.toString())).count();
    }
    long files = 0;
    try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
      for (Path link : all.toList()) {
        files += Files.isSymbolicLink(link) && Files.readSymbolicLink(link).equals(path) ? 1 : 0;
      }
    }
    return maps + files;
  }

  @Test
  void aFileTruncatedWhileOpenIsReportedAsThat() throws IOException {
    Path path = writeZeros("truncated.gguf", Shape.of(1 << 18));
    try (GgufFile file = GgufFile.open(path)) {
      file.checkNotTruncated();
      truncate(path, 70);
      String message =
          path + " @ byte 70: the file was truncated while open: it had 1048640 bytes, now 70";
      assertThatThrownBy(file::checkNotTruncated).hasMessage(message);
      List<String> started = new ArrayList<>();
      assertThatThrownBy(() -> file.reading(() -> started.add("work"))).hasMessage(message);
      assertThat(started).isEmpty();
    }
  }

  /** A file that is open for writing before it is read cannot be held against its writer. */
  @Test
  void aFileTruncatedDuringTheWorkIsReportedWhateverTheWorkSaw() throws IOException {
    Path path = folder.resolve("truncated.gguf");
    Map<String, Function<Tensor, Object>> works =
        Map.of(
            "lost pages, in bulk",
            tensor -> tensor.data().toArray(ValueLayout.JAVA_BYTE),
            "lost pages, one by one",
            GgufFileTest::sum,
            "the last page, whose end is zeros",
            tensor -> tensor.data().get(ValueLayout.JAVA_INT, 0),
            "nothing",
            Tensor::name);
    for (Map.Entry<String, Function<Tensor, Object>> work : works.entrySet()) {
      Files.deleteIfExists(path);
      writeZeros("truncated.gguf", Shape.of(1 << 18));
      try (RandomAccessFile writer = new RandomAccessFile(path.toFile(), "rw");
          GgufFile file = GgufFile.open(path)) {
        assertThatThrownBy(
                () ->
                    file.reading(
                        () -> {
                          truncate(writer, 70);
                          return work.getValue().apply(file.tensor("t"));
                        }))
            .as(work.getKey())
            .isInstanceOf(GgufException.class)
            .hasMessageContaining("the file was truncated while open");
      }
    }
  }

  @Test
  void whoeverWantsToTruncateAFileWaitsUntilTheWorkOnItIsDone() throws Exception {
    assumeTrue(leasesAreGranted(), "the system grants no lease on a file");
    Path path = writeZeros("held.gguf", Shape.of(1 << 18));
    Thread writer = Thread.ofPlatform().unstarted(() -> truncate(path, 70));
    try (GgufFile file = GgufFile.open(path)) {
      Supplier<Long> work =
          () -> {
            writer.start();
            awaitOpening(writer);
            return sum(file.tensor("t"));
          };
      assertThat(file.reading(work)).isZero();
      writer.join();
      assertThatThrownBy(() -> file.reading(() -> 1)).hasMessageContaining("was truncated");
    }
  }

  /** Until {@code writer} is in the system call that opens the file, or gone. */
  private static void awaitOpening(Thread writer) {
    for (int tries = 0; tries < 200 && writer.isAlive(); tries++) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Test
  void aFileThatAnotherProgramKeepsOpenForWritingIsNotReadOn() throws IOException {
    assumeTrue(leasesAreGranted(), "the system grants no lease on a file");
    Path path = writeZeros("written.gguf", Shape.of(64));
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.reading(() -> sum(file.tensor("t")))).isZero();
      try (RandomAccessFile _ = new RandomAccessFile(path.toFile(), "rw")) {
        assertThatThrownBy(() -> file.reading(() -> 1))
            .isInstanceOf(GgufException.class)
            .hasMessageStartingWith(path + ": another program has it open for writing");
      }
      assertThat(file.reading(() -> sum(file.tensor("t")))).isZero();
    }
  }

  private boolean leasesAreGranted() throws IOException {
    try (Lease lease = new Lease(Files.createFile(folder.resolve("lease")))) {
      return lease.take();
    }
  }

  private static void truncate(Path path, long bytes) {
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      truncate(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void truncate(RandomAccessFile file, long bytes) {
    try {
      file.setLength(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long sum(Tensor tensor) {
    long sum = 0;
    for (long at = 0; at < tensor.data().byteSize(); at += 8) {
      sum += tensor.data().get(ValueLayout.JAVA_LONG, at);
    }
    return sum;
  }

  @Test
  void errorsOfTheWorkItselfAreLeftAsTheyAre() throws IOException {
    InternalError fault = new InternalError("another");
    try (GgufFile file = GgufFile.open(write("m.gguf", wellFormed()))) {
      assertThatThrownBy(
              () ->
                  file.reading(
                      () -> {
                        throw fault;
                      }))
          .isSameAs(fault);
    }
  }

  @Test
  void anInterruptedThreadMayAskForTheSize() throws IOException {
    try (GgufFile file = GgufFile.open(write("m.gguf", wellFormed()))) {
      Thread.currentThread().interrupt();
      file.checkNotTruncated();
      assertThat(Thread.interrupted()).isTrue();
      file.checkNotTruncated();
    }
  }

  @Test
  void aFileReplacedWhileOpenStaysReadable() throws IOException {
    Path path = write("m.gguf", wellFormed());
    try (GgufFile file = GgufFile.open(path)) {
      Path other = write("empty.gguf", new byte[0]);
      Files.move(other, path, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
      file.checkNotTruncated();
      assertThat(file.tensor("first").data().toArray(ValueLayout.JAVA_FLOAT)).containsOnly(0);
    }
  }

  @Test
  void whatIsNoRegularFileIsNotOpened() {
    assertThatThrownBy(() -> GgufFile.open(folder)).hasMessage(folder + ": is not a regular file");
    Path endless = Path.of("/dev/zero");
    assertThatThrownBy(() -> GgufFile.open(endless))
        .hasMessageMatching("/dev/zero: (is not a regular file|there is no such file)");
    assertThatThrownBy(() -> GgufFile.open(folder.resolve("no.gguf")))
        .hasMessage(folder.resolve("no.gguf") + ": there is no such file");
  }

  @Test
  void aMissingTensorIsNamed() throws IOException {
    Path path = write("m.gguf", wellFormed());
    try (GgufFile file = GgufFile.open(path)) {
      assertThatThrownBy(() -> file.tensor("third"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(path + ": there is no tensor 'third' among its 2");
    }
  }

  @Test
  void closingOneFileLeavesAnotherOpen() throws IOException {
    try (GgufFile two = GgufFile.open(write("2.gguf", wellFormed()))) {
      GgufFile.open(write("1.gguf", wellFormed())).close();
      assertThat(two.tensor("first").data().get(ValueLayout.JAVA_FLOAT, 0)).isZero();
    }
  }

  @Test
  void aPartThatIsMissingIsNamed() throws IOException {
    List<Path> parts = split();
    Files.delete(parts.get(1));
    assertThatThrownBy(() -> GgufFile.open(parts.get(2)))
        .isInstanceOf(GgufException.class)
        .hasMessage(parts.get(1) + ": there is no such file");
  }

  @Test
  void partsThatWereMixedUpAreRefused() throws IOException {
    List<Path> parts = split();
    Files.copy(parts.get(0), parts.get(1), StandardCopyOption.REPLACE_EXISTING);
    assertThatThrownBy(() -> GgufFile.open(parts.get(2)))
        .hasMessage(
            parts.get(1)
                + " @ byte 40: split.no is 0 and split.count is 3; expected 1 and 3 as in its name");
    Path renamed = folder.resolve("m-00001-of-00002.gguf");
    Files.copy(parts.get(0), renamed);
    assertThatThrownBy(() -> GgufFile.open(renamed))
        .hasMessage(
            renamed
                + " @ byte 65: split.count is 3; expected the file's name to end in -0000K-of-00003.gguf");
  }

  @Test
  void partsWhoseTensorsDoNotAddUpAreRefused() throws IOException {
    List<Path> parts = split();
    Files.write(parts.get(2), part(2, 1).tensor("a", 24, 0, 1).pad(32).u8(0).toBytes());
    assertThatThrownBy(() -> GgufFile.open(parts.get(0)))
        .hasMessage(parts.get(2) + ": tensor 'a' is in an earlier part too");
    Files.write(parts.get(2), part(2, 0).toBytes());
    assertThatThrownBy(() -> GgufFile.open(parts.get(0)))
        .hasMessage(
            parts.get(0) + " @ byte 98: split.tensors.count is 3, but the 3 parts hold 2 tensors");
  }

  private static RawGguf part(int no, int tensors) {
    return RawGguf.start(3, tensors, 3)
        .pair(Format.SPLIT_NO_KEY, MetadataValue.uint32(no))
        .pair(Format.SPLIT_COUNT_KEY, MetadataValue.uint32(3))
        .pair(Format.SPLIT_TENSORS_KEY, MetadataValue.uint32(3));
  }

  /** Three parts with one tensor each. */
  private List<Path> split() throws IOException {
    GgufWriter writer = new GgufWriter(new LinkedHashMap<>());
    for (String name : List.of("a", "b", "c")) {
      writer.tensor(name, DType.I8, Shape.of(5), (firstRow, rows) -> rows.fill((byte) 1));
    }
    return writer.writeSplit(folder.resolve("m.gguf"), 5);
  }
}
