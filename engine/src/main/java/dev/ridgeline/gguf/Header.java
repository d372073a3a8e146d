package dev.ridgeline.gguf;

import static dev.ridgeline.gguf.GgufException.quote;

import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What stands before a file's tensor data, checked: every tensor lies within the file, aligned, and
 * apart from the others.
 *
 * @param dataOffset where the data starts in the file
 * @param tensors in the order of the header, which need not be that of the data
 */
record Header(int version, Metadata metadata, long dataOffset, List<TensorInfo> tensors) {
  /** Key, type and the smallest value: one byte. */
  private static final int MIN_PAIR_BYTES = Long.BYTES + 1 + Integer.BYTES + 1;

  /** Name, dimension count, dtype and offset of a scalar. */
  private static final int MIN_TENSOR_BYTES =
      Long.BYTES + 1 + Integer.BYTES + Integer.BYTES + Long.BYTES;

  /** ggml's names of the types that this project does not read. */
  private static final Map<Long, String> OTHER_DTYPES =
      Map.ofEntries(
          Map.entry(9L, "Q8_1"),
          Map.entry(15L, "Q8_K"),
          Map.entry(16L, "IQ2_XXS"),
          Map.entry(17L, "IQ2_XS"),
          Map.entry(18L, "IQ3_XXS"),
          Map.entry(19L, "IQ1_S"),
          Map.entry(21L, "IQ3_S"),
          Map.entry(22L, "IQ2_S"),
          Map.entry(29L, "IQ1_M"),
          Map.entry(34L, "TQ1_0"),
          Map.entry(35L, "TQ2_0"));

  /**
   * One entry of the tensor list.
   *
   * @param infoOffset where the entry stands in the file, for messages
   * @param offset where the tensor's data starts, from the start of all data
   * @param bytes the data's size
   */
  record TensorInfo(
      String name, DType type, Shape shape, long infoOffset, long offset, long bytes) {
    long end() {
      return offset + bytes;
    }
  }

  /** Reads and checks the whole header of {@code file}. */
  static Header read(String file, HeaderReader in) {
    readMagic(in);
    int version = readVersion(in);
    int tensorCount = in.count("the number of tensors", MIN_TENSOR_BYTES, Format.MAX_TENSORS);
    int pairCount = in.count("the number of metadata pairs", MIN_PAIR_BYTES, Format.MAX_PAIRS);
    Map<String, MetadataValue> values = new LinkedHashMap<>();
    Map<String, Long> valueAts = new LinkedHashMap<>();
    int alignment = Format.DEFAULT_ALIGNMENT;
    for (int i = 0; i < pairCount; i++) {
      long at = in.position();
      String key = in.name("a metadata key", Format.MAX_KEY_BYTES);
      long valueAt = in.position();
      MetadataValue value = in.value(key);
      if (values.put(key, value) != null) {
        throw in.fail(at, "metadata key %s appears twice", quote(key));
      }
      valueAts.put(key, valueAt);
      if (key.equals(Format.ALIGNMENT_KEY)) {
        alignment = alignment(in, valueAt, value);
      }
    }
    List<TensorInfo> tensors = readTensors(in, tensorCount, alignment);
    long dataOffset = Format.align(in.position(), alignment);
    checkWithinFile(in, tensors, dataOffset);
    checkApart(in, tensors);
    return new Header(
        version, new Metadata(new Metadata.Origin(file, valueAts), values), dataOffset, tensors);
  }

  private static void readMagic(HeaderReader in) {
    int magic = in.int32("the four letters that GGUF files start with");
    if (magic != Format.MAGIC) {
      String found =
          Stream.of(0, 8, 16, 24)
              .map(shift -> String.valueOf((char) (magic >>> shift & 0xff)))
              .collect(Collectors.joining());
      throw in.fail(
          0,
          "the file starts with %s; expected 'GGUF'%s",
          quote(found),
          found.equals("vers") ? " (a Git LFS pointer? fetch the file itself)" : "");
    }
  }

  private static int readVersion(HeaderReader in) {
    long at = in.position();
    int version = in.int32("the version");
    if (version >= Format.OLDEST_VERSION && version <= Format.NEWEST_VERSION) {
      return version;
    }
    if (version != 0 && (version & 0xffff) == 0) {
      throw in.fail(
          at,
          "a big-endian file (version %d); expected a little-endian one: convert it",
          Integer.reverseBytes(version));
    }
    throw in.fail(
        at,
        "version %s; expected %d or %d",
        Integer.toUnsignedString(version),
        Format.OLDEST_VERSION,
        Format.NEWEST_VERSION);
  }

  private static int alignment(HeaderReader in, long at, MetadataValue value) {
    return Format.alignment(value)
        .orElseThrow(
            () ->
                in.fail(
                    at,
                    "%s is %s; expected a UINT32 that is a power of two from %d to %d",
                    Format.ALIGNMENT_KEY,
                    value.describe(),
                    Format.MIN_ALIGNMENT,
                    Format.MAX_ALIGNMENT));
  }

  private static List<TensorInfo> readTensors(HeaderReader in, int count, int alignment) {
    List<TensorInfo> tensors = new ArrayList<>(count);
    Set<String> names = HashSet.newHashSet(count);
    for (int i = 0; i < count; i++) {
      TensorInfo tensor = readTensor(in, alignment);
      if (!names.add(tensor.name())) {
        throw in.fail(tensor.infoOffset(), "tensor %s appears twice", quote(tensor.name()));
      }
      tensors.add(tensor);
    }
    return tensors;
  }

  private static TensorInfo readTensor(HeaderReader in, int alignment) {
    long infoAt = in.position();
    String name = in.name("a tensor's name", Format.MAX_TENSOR_NAME_BYTES);
    Shape shape = readShape(in, name);
    long typeAt = in.position();
    DType type = readDType(in, name);
    if (shape.ne0() % type.blockElements() != 0) {
      throw in.fail(
          typeAt,
          "tensor %s: rows of %d elements do not fill whole %s blocks of %d",
          quote(name),
          shape.ne0(),
          type,
          type.blockElements());
    }
    if (shape.elements() / type.blockElements() > Long.MAX_VALUE / type.blockBytes()) {
      throw in.fail(typeAt, "tensor %s %s %s has more than 2^63 bytes", quote(name), type, shape);
    }
    long offsetAt = in.position();
    long offset = in.uint64("a tensor's offset");
    if (offset % alignment != 0) {
      throw in.fail(
          offsetAt,
          "tensor %s: offset %s is not a multiple of the alignment, %d",
          quote(name),
          Long.toUnsignedString(offset),
          alignment);
    }
    return new TensorInfo(name, type, shape, infoAt, offset, type.bytes(shape.elements()));
  }

  private static Shape readShape(HeaderReader in, String name) {
    long at = in.position();
    long dimensions = in.uint32("a tensor's number of dimensions");
    if (dimensions > Format.MAX_DIMENSIONS) {
      throw in.fail(
          at,
          "tensor %s has %d dimensions; expected at most %d",
          quote(name),
          dimensions,
          Format.MAX_DIMENSIONS);
    }
    long[] ne = {1, 1, 1, 1};
    long elements = 1;
    for (int i = 0; i < dimensions; i++) {
      long neAt = in.position();
      ne[i] = in.uint64("a tensor's dimension");
      if (ne[i] <= 0 || ne[i] > Long.MAX_VALUE / elements) {
        throw in.fail(
            neAt,
            "tensor %s: dimension %d is %s; expected at least 1, and fewer than 2^63 elements",
            quote(name),
            i,
            Long.toUnsignedString(ne[i]));
      }
      elements *= ne[i];
    }
    return Shape.of(ne);
  }

  private static DType readDType(HeaderReader in, String name) {
    long at = in.position();
    long id = in.uint32("a tensor's dtype");
    return DType.ofId(id)
        .orElseThrow(
            () ->
                in.fail(
                    at,
                    "tensor %s has dtype id %d%s; supported: %s",
                    quote(name),
                    id,
                    OTHER_DTYPES.containsKey(id) ? " (" + OTHER_DTYPES.get(id) + ")" : "",
                    Stream.of(DType.values()).map(Enum::name).collect(Collectors.joining(", "))));
  }

  private static void checkWithinFile(HeaderReader in, List<TensorInfo> tensors, long dataOffset) {
    long dataBytes = Math.max(0, in.end() - dataOffset);
    for (TensorInfo tensor : tensors) {
      if (tensor.offset() < 0
          || tensor.offset() > dataBytes
          || tensor.bytes() > dataBytes - tensor.offset()) {
        throw in.fail(
            tensor.infoOffset(),
            "tensor %s: %d bytes at offset %s do not lie within the file's %d bytes of data"
                + " (is the file truncated?)",
            quote(tensor.name()),
            tensor.bytes(),
            Long.toUnsignedString(tensor.offset()),
            dataBytes);
      }
    }
  }

  private static void checkApart(HeaderReader in, List<TensorInfo> tensors) {
    List<TensorInfo> byOffset = new ArrayList<>(tensors);
    byOffset.sort(Comparator.comparingLong(TensorInfo::offset));
    for (int i = 1; i < byOffset.size(); i++) {
      TensorInfo before = byOffset.get(i - 1);
      TensorInfo tensor = byOffset.get(i);
      if (tensor.offset() < before.end()) {
        throw in.fail(
            tensor.infoOffset(),
            "tensor %s at offset %d overlaps tensor %s, which ends at offset %d",
            quote(tensor.name()),
            tensor.offset(),
            quote(before.name()),
            before.end());
      }
    }
  }
}
