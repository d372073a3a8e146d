package dev.ridgeline.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.arbitraries.StringArbitrary;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;

class GgufRoundTripTest {
  private Path folder = Path.of("");

  @BeforeProperty
  void makeFolder() throws IOException {
    folder = Files.createTempDirectory("round-trip");
  }

  @AfterProperty
  void removeFolder() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Property(tries = 60)
  void whatIsWrittenIsRead(
      @ForAll("metadata") Map<String, MetadataValue> metadata,
      @ForAll("tensors") List<Tensor> tensors,
      @ForAll("versions") int version)
      throws IOException {
    Path path = folder.resolve("model.gguf");
    writer(metadata, tensors, version).write(path);
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.version()).isEqualTo(version);
      assertThat(file.byteSize()).isEqualTo(Files.size(path));
      assertSamePairs(file.metadata().values(), metadata);
      assertSameTensors(file, tensors);
    }
  }

  @Property(tries = 20)
  void aSplitModelReadsLikeAWholeOneFromAnyPart(
      @ForAll("metadata") Map<String, MetadataValue> metadata,
      @ForAll("tensors") List<Tensor> tensors,
      @ForAll("versions") int version,
      @ForAll("partBytes") long maxPartBytes)
      throws IOException {
    List<Path> parts =
        writer(metadata, tensors, version).writeSplit(folder.resolve("m.gguf"), maxPartBytes);
    for (Path part : parts) {
      try (GgufFile file = GgufFile.open(part)) {
        assertThat(file.parts()).isEqualTo(parts);
        assertSameTensors(file, tensors);
        Path whole = folder.resolve("whole.gguf");
        writer(file.metadata().values(), List.copyOf(file.tensors().values()), version)
            .write(whole);
        try (GgufFile merged = GgufFile.open(whole)) {
          assertSamePairs(merged.metadata().values(), metadata);
          assertSameTensors(merged, tensors);
        }
      }
    }
  }

  private static GgufWriter writer(
      Map<String, MetadataValue> metadata, List<Tensor> tensors, int version) {
    GgufWriter writer = new GgufWriter(metadata).version(version);
    tensors.forEach(writer::tensor);
    return writer;
  }

  private static void assertSamePairs(
      Map<String, MetadataValue> actual, Map<String, MetadataValue> expected) {
    assertThat(actual.keySet()).containsExactlyElementsOf(expected.keySet());
    assertThat(actual)
        .usingRecursiveComparison()
        .withEqualsForType((a, b) -> Double.compare(a, b) == 0, Double.class)
        .isEqualTo(expected);
  }

  private static void assertSameTensors(GgufFile file, List<Tensor> expected) {
    assertThat(file.tensors().keySet())
        .containsExactlyElementsOf(expected.stream().map(Tensor::name).toList());
    for (Tensor tensor : expected) {
      Tensor read = file.tensor(tensor.name());
      assertThat(read.type()).isEqualTo(tensor.type());
      assertThat(read.shape()).isEqualTo(tensor.shape());
      assertThat(read.data().mismatch(tensor.data())).isEqualTo(-1);
    }
  }

  @Provide
  Arbitrary<Integer> versions() {
    return Arbitraries.of(2, 3);
  }

  @Provide
  Arbitrary<Long> partBytes() {
    return Arbitraries.longs().between(0, 100_000);
  }

  @Provide
  Arbitrary<Map<String, MetadataValue>> metadata() {
    Arbitrary<String> keys =
        text()
            .ofMinLength(1)
            .filter(key -> !key.startsWith("split.") && !key.startsWith("general."));
    return Combinators.combine(
            Arbitraries.maps(keys, value(3)).ofMaxSize(8),
            Arbitraries.of(8, 16, 32, 64, 4096).injectNull(0.5))
        .as(
            (pairs, alignment) -> {
              if (alignment != null) {
                pairs.put(Format.ALIGNMENT_KEY, MetadataValue.uint32(alignment));
              }
              return pairs;
            });
  }

  private static StringArbitrary text() {
    return Arbitraries.strings().withCharRange('\0', '\ud7ff').withCharRange('\ue000', '\uffff');
  }

  private static Arbitrary<MetadataValue> value(int depth) {
    Arbitrary<MetadataType> integerTypes =
        Arbitraries.of(Stream.of(MetadataType.values()).filter(MetadataType::isInteger).toList());
    Arbitrary<MetadataType> floatTypes = Arbitraries.of(MetadataType.FLOAT32, MetadataType.FLOAT64);
    Arbitrary<MetadataValue> plain =
        Arbitraries.oneOf(
            integerTypes.flatMap(
                type -> integer(type).map(value -> new MetadataValue.Int(type, value))),
            floatTypes.flatMap(
                type -> number(type).map(value -> new MetadataValue.Real(type, value))),
            Arbitraries.of(true, false).map(MetadataValue.Bool::new),
            text().map(MetadataValue.Text::new));
    return Arbitraries.oneOf(plain, array(depth));
  }

  private static Arbitrary<MetadataValue> array(int depth) {
    Arbitrary<MetadataType> integerTypes =
        Arbitraries.of(Stream.of(MetadataType.values()).filter(MetadataType::isInteger).toList());
    Arbitrary<MetadataType> floatTypes = Arbitraries.of(MetadataType.FLOAT32, MetadataType.FLOAT64);
    Arbitrary<MetadataValue> flat =
        Arbitraries.oneOf(
            integerTypes.flatMap(
                type ->
                    integer(type)
                        .array(long[].class)
                        .map(values -> new MetadataValue.Ints(type, values))),
            floatTypes.flatMap(
                type ->
                    number(type)
                        .array(double[].class)
                        .map(values -> new MetadataValue.Reals(type, values))),
            Arbitraries.of(true, false).array(boolean[].class).map(MetadataValue.Bools::new),
            text().list().map(MetadataValue.Texts::new));
    return depth == 0
        ? flat
        : Arbitraries.oneOf(
            flat, array(depth - 1).list().ofMaxSize(3).map(MetadataValue.Arrays::new));
  }

  private static Arbitrary<Long> integer(MetadataType type) {
    int bits = 8 * type.bytes();
    return switch (type) {
      case UINT8, UINT16, UINT32 -> Arbitraries.longs().between(0, (1L << bits) - 1);
      case INT8, INT16, INT32 ->
          Arbitraries.longs().between(-1L << (bits - 1), (1L << (bits - 1)) - 1);
      default -> Arbitraries.longs();
    };
  }

  private static Arbitrary<Double> number(MetadataType type) {
    Arbitrary<Double> any =
        Arbitraries.oneOf(
            Arbitraries.doubles(),
            Arbitraries.of(Double.NaN, Double.POSITIVE_INFINITY, Double.MIN_VALUE, -0.0));
    return type == MetadataType.FLOAT32 ? any.map(value -> (double) value.floatValue()) : any;
  }

  @Provide
  Arbitrary<List<Tensor>> tensors() {
    return text()
        .ofMinLength(1)
        .ofMaxLength(100)
        .flatMap(GgufRoundTripTest::tensor)
        .list()
        .ofMaxSize(6)
        .uniqueElements(Tensor::name);
  }

  private static Arbitrary<Tensor> tensor(String name) {
    return Combinators.combine(
            Arbitraries.of(DType.class),
            Arbitraries.longs().between(1, 3),
            Arbitraries.longs().between(1, 7).list().ofMaxSize(3),
            Arbitraries.longs())
        .as(
            (type, blocks, rest, seed) -> {
              long[] ne = {blocks * type.blockElements(), 1, 1, 1};
              for (int i = 0; i < rest.size(); i++) {
                ne[i + 1] = rest.get(i);
              }
              Shape shape = Shape.of(ne);
              byte[] data = new byte[(int) type.bytes(shape.elements())];
              new Random(seed).nextBytes(data);
              return new Tensor(name, type, shape, MemorySegment.ofArray(data));
            });
  }
}
