package dev.ridgeline.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufWriterTest {
  private static final GgufWriter.RowSource ZEROS = (firstRow, rows) -> rows.fill((byte) 0);

  @TempDir Path folder;

  @Test
  void rowsAreAskedForInOrderAndWhole() throws IOException {
    long rowBytes = 5L * 256 * Integer.BYTES;
    long rowCount = 3 * 600;
    List<Long> firstRows = new ArrayList<>();
    Path path = folder.resolve("rows.gguf");
    new GgufWriter(Map.of())
        .tensor(
            "t",
            DType.I32,
            Shape.of(5 * 256, 3, 600),
            (firstRow, rows) -> {
              firstRows.add(firstRow);
              assertThat(rows.byteSize() % rowBytes).isZero();
              for (long row = 0; row < rows.byteSize() / rowBytes; row++) {
                rows.set(ValueLayout.JAVA_INT, row * rowBytes, (int) (firstRow + row));
              }
            })
        .write(path);
    assertThat(firstRows).isSorted().hasSizeGreaterThan(1).startsWith(0L);
    try (GgufFile file = GgufFile.open(path)) {
      for (long row = 0; row < rowCount; row++) {
        assertThat(file.tensor("t").data().get(ValueLayout.JAVA_INT, row * rowBytes))
            .isEqualTo((int) row);
      }
    }
  }

  @Test
  void aFailureLeavesTheFolderAsItWas() throws IOException {
    Path path = Files.writeString(folder.resolve("m.gguf"), "what was there");
    GgufWriter writer =
        new GgufWriter(Map.of())
            .tensor("a", DType.F32, Shape.of(4), ZEROS)
            .tensor(
                "b",
                DType.F32,
                Shape.of(4),
                (firstRow, rows) -> {
                  throw new IOException("the source broke");
                });
    assertThatThrownBy(() -> writer.write(path)).hasMessage("the source broke");
    assertThatThrownBy(() -> writer.writeSplit(path, 16)).hasMessage("the source broke");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactly(path);
    }
    assertThat(path).hasContent("what was there");
  }

  @Test
  void whatTheReaderWouldRefuseIsRefusedBeforeAnyTensorIsAskedFor() throws IOException {
    List<Long> asked = new ArrayList<>();
    Path path = folder.resolve("m.gguf");
    GgufWriter twice =
        new GgufWriter(Map.of())
            .tensor("t", DType.F32, Shape.of(4), (firstRow, rows) -> asked.add(firstRow))
            .tensor("t", DType.F32, Shape.of(4), (firstRow, rows) -> asked.add(firstRow));
    assertThatThrownBy(() -> twice.write(path))
        .isInstanceOf(GgufException.class)
        .hasMessage(path + " @ byte 57: tensor 't' appears twice");
    assertThatThrownBy(() -> new GgufWriter(Map.of()).version(4).write(path))
        .hasMessage(path + " @ byte 4: version 4; expected 2 or 3");
    Map<String, MetadataValue> misaligned = Map.of(Format.ALIGNMENT_KEY, MetadataValue.uint32(3));
    assertThatThrownBy(() -> new GgufWriter(misaligned).write(path))
        .hasMessageStartingWith(path + " @ byte 49: general.alignment is UINT32 '3'");
    assertThat(asked).isEmpty();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void halfASurrogatePairIsRefused() {
    Map<String, MetadataValue> metadata = Map.of("k", new MetadataValue.Text("a\ud800b"));
    assertThatThrownBy(() -> new GgufWriter(metadata).write(folder.resolve("m.gguf")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is not well-formed Unicode");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aFolderIsNotReplaced() throws IOException {
    Path path = Files.createDirectory(folder.resolve("m.gguf"));
    assertThatThrownBy(() -> new GgufWriter(Map.of()).write(path))
        .isInstanceOf(FileAlreadyExistsException.class);
    assertThat(path).isEmptyDirectory();
  }

  @Test
  void anOpenFileCanBeRewritten() throws IOException {
    Path path = folder.resolve("m.gguf");
    new GgufWriter(Map.of())
        .tensor("t", DType.I8, Shape.of(3), (firstRow, rows) -> rows.fill((byte) 7))
        .write(path);
    try (GgufFile before = GgufFile.open(path)) {
      new GgufWriter(before.metadata().values())
          .tensor(before.tensor("t"))
          .tensor("u", DType.I8, Shape.of(3), ZEROS)
          .write(path);
      assertThat(before.tensors()).hasSize(1);
      assertThat(before.tensor("t").data().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 7);
    }
    try (GgufFile after = GgufFile.open(path)) {
      assertThat(after.tensors()).hasSize(2);
      assertThat(after.tensor("t").data().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 7);
    }
  }

  @Test
  void partsHoldAtMostTheBytesAskedForOrOneTensor() throws IOException {
    GgufWriter writer = new GgufWriter(Map.of());
    long[] lengths = {40, 40, 100, 10, 30};
    for (int i = 0; i < lengths.length; i++) {
      writer.tensor("t" + i, DType.I8, Shape.of(lengths[i]), ZEROS);
    }
    List<Path> parts = writer.writeSplit(folder.resolve("m.gguf"), 80);
    assertThat(parts.stream().map(part -> part.getFileName().toString()))
        .containsExactly("m-00001-of-00003.gguf", "m-00002-of-00003.gguf", "m-00003-of-00003.gguf");
    assertThat(parts.stream().map(GgufWriterTest::tensorsOf)).containsExactly(2, 1, 2);
  }

  private static int tensorsOf(Path path) {
    try (Part part = Part.open(path, path.toString())) {
      return part.header().tensors().size();
    }
  }
}
