package dev.ridgeline.gguf;

import static dev.ridgeline.gguf.MetadataType.ARRAY;
import static dev.ridgeline.gguf.MetadataType.BOOL;
import static dev.ridgeline.gguf.MetadataType.STRING;
import static dev.ridgeline.gguf.MetadataType.UINT64;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One small file for each way in which a file can be hostile, with the place and the words of the
 * refusal. The files are kept in the test resources, where the fuzz test starts from them; {@link
 * #main} writes them anew after a change here.
 */
final class HostileFiles {
  private static final long F32 = 0;
  private static final long Q4_K = 12;
  private static final long TWO_63 = Long.MIN_VALUE;
  private static final long ALL_ONES = -1;

  /**
   * A file and how it is refused.
   *
   * @param offset the byte that the message names
   * @param message what it says, in part
   */
  record Hostile(String name, byte[] bytes, long offset, String message) {
    @Override
    public String toString() {
      return name;
    }
  }

  private final List<Hostile> files = new ArrayList<>();

  private HostileFiles() {}

  /** All of them. */
  static List<Hostile> all() {
    HostileFiles hostile = new HostileFiles();
    hostile.starts();
    hostile.counts();
    hostile.keys();
    hostile.values();
    hostile.arrays();
    hostile.alignments();
    hostile.tensorEntries();
    hostile.tensorData();
    return hostile.files;
  }

  /** Writes them to the folder {@code args[0]}. */
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[0]);
    Files.createDirectories(folder);
    for (Hostile file : all()) {
      Files.write(folder.resolve(file.name() + ".gguf"), file.bytes());
    }
  }

  private void add(String name, RawGguf bytes, long offset, String message) {
    files.add(new Hostile(name, bytes.toBytes(), offset, message));
  }

  private static RawGguf onePair() {
    return RawGguf.start(3, 0, 1);
  }

  private static RawGguf oneTensor() {
    return RawGguf.start(3, 1, 0);
  }

  private void starts() {
    add("empty", new RawGguf(), 0, "the file ends within the four letters");
    add("other-letters", new RawGguf().letters("GGML").zeros(40), 0, "starts with 'GGML'");
    add(
        "lfs-pointer",
        new RawGguf().letters("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
        0,
        "Git LFS pointer");
    add("version-1", RawGguf.start(1, 0, 0), 4, "version 1; expected 2 or 3");
    add("version-4", RawGguf.start(4, 0, 0), 4, "version 4; expected 2 or 3");
    add("version-all-ones", RawGguf.start(-1, 0, 0), 4, "version 4294967295");
    add("big-endian", RawGguf.start(3 << 24, 0, 0), 4, "a big-endian file (version 3)");
    add("ends-in-version", new RawGguf().letters("GGUF").u16(3), 4, "ends within the version");
  }

  private void counts() {
    add(
        "tensor-count-2-63",
        RawGguf.start(3, TWO_63, 0),
        8,
        "the number of tensors is 9223372036854775808, but the 8 bytes left");
    add("tensor-count-past-end", RawGguf.start(3, 1000, 0).zeros(100), 8, "is 1000");
    add("pair-count-all-ones", RawGguf.start(3, 0, ALL_ONES), 16, "18446744073709551615");
    add("pair-count-past-end", RawGguf.start(3, 0, 1000).zeros(100), 16, "at most 7");
  }

  private void keys() {
    add(
        "key-length-2-63",
        onePair().u64(TWO_63).zeros(8),
        24,
        "key has length 9223372036854775808");
    add("key-length-past-end", onePair().u64(100).letters("key").zeros(9), 24, "only 12 bytes");
    add("key-empty", onePair().string("").u32(STRING.id()).string(""), 24, "key is empty");
    add("key-not-utf8", onePair().u64(2).bytes((byte) 0xc3, (byte) '(').zeros(12), 24, "not UTF-8");
    add(
        "key-twice",
        RawGguf.start(3, 0, 2)
            .pair("a", MetadataValue.uint32(1))
            .pair("a", MetadataValue.uint32(1)),
        41,
        "metadata key 'a' appears twice");
    add(
        "key-with-line-breaks-twice",
        RawGguf.start(3, 0, 2)
            .pair("a\nb\u001b[2J", MetadataValue.uint32(1))
            .pair("a\nb\u001b[2J", MetadataValue.uint32(1)),
        47,
        "metadata key 'a\\u000ab\\u001b[2J' appears twice");
  }

  private void values() {
    add("value-type-13", onePair().string("k").u32(13).zeros(8), 33, "type is 13; expected 0");
    add("value-type-all-ones", onePair().string("k").u32(-1).zeros(8), 33, "4294967295");
    add("value-missing", onePair().key("k", UINT64).u32(0), 37, "the file ends within an integer");
    add("bool-2", onePair().key("k", BOOL).u8(2), 37, "a bool is 2; expected 0 or 1");
    add("string-length-all-ones", onePair().key("k", STRING).u64(ALL_ONES), 37, "18446744073");
    add("string-past-end", onePair().key("k", STRING).u64(9).zeros(8), 37, "length 9, but only 8");
    add("string-not-utf8", onePair().key("k", STRING).u64(1).u8(0xff), 37, "is not UTF-8");
  }

  private void arrays() {
    add(
        "array-length-2-63",
        onePair().key("k", ARRAY).array(0, TWO_63).zeros(8),
        41,
        "the array's length is 9223372036854775808, but the 8 bytes left");
    add(
        "array-bytes-overflow",
        onePair().key("k", ARRAY).array(UINT64.id(), 1L << 61).zeros(8),
        41,
        "the 8 bytes left in the file hold at most 1");
    add("array-past-end", onePair().key("k", ARRAY).array(STRING.id(), 2).zeros(8), 41, "is 2");
    add("array-element-type-13", onePair().key("k", ARRAY).array(13, 1).u64(0), 37, "type is 13");
    add("array-of-bools-2", onePair().key("k", ARRAY).array(BOOL.id(), 2).u8(1).u8(2), 50, "is 2");
    RawGguf nested = onePair().key("k", ARRAY);
    for (int i = 0; i < 1000; i++) {
      nested.array(ARRAY.id(), 1);
    }
    add("array-nested-1000", nested, 37 + 8 * 12, "arrays of 'k' nest deeper than 8");
    add(
        "array-of-arrays-past-end",
        onePair().key("k", ARRAY).array(ARRAY.id(), 2).array(0, 0).zeros(8),
        41,
        "hold at most 1");
  }

  private void alignments() {
    for (long alignment : new long[] {0, 3, 4, 48, 1 << 17, 0xffff_ffffL}) {
      add(
          "alignment-" + alignment,
          onePair().pair(Format.ALIGNMENT_KEY, MetadataValue.uint32(alignment)),
          49,
          "general.alignment is UINT32 '" + alignment + "'; expected a UINT32 that is a power");
    }
    add(
        "alignment-string",
        onePair().pair(Format.ALIGNMENT_KEY, new MetadataValue.Text("32")),
        49,
        "general.alignment is STRING '32'");
    add(
        "alignment-array",
        onePair().pair(Format.ALIGNMENT_KEY, new MetadataValue.Bools(new boolean[] {true})),
        49,
        "general.alignment is ARRAY of 1 BOOL");
  }

  private void tensorEntries() {
    add("tensor-name-empty", oneTensor().tensor("", F32, 0, 1).zeros(64), 24, "name is empty");
    add(
        "tensor-name-length-past-end",
        oneTensor().u64(1 << 20).zeros(64),
        24,
        "a tensor's name has length 1048576, but only 64");
    add("tensor-5-dimensions", oneTensor().tensor("t", F32, 0, 1, 1, 1, 1, 1), 33, "5 dimensions");
    add("tensor-dimension-0", oneTensor().tensor("t", F32, 0, 4, 0), 45, "dimension 1 is 0");
    add("tensor-dimension-2-63", oneTensor().tensor("t", F32, 0, TWO_63), 37, "is 92233720368547");
    add(
        "tensor-elements-overflow",
        oneTensor().tensor("t", F32, 0, 1L << 32, 1L << 32),
        45,
        "dimension 1 is 4294967296; expected at least 1, and fewer than 2^63 elements");
    add(
        "tensor-bytes-overflow",
        oneTensor().tensor("t", F32, 0, 1L << 62),
        45,
        "has more than 2^63 bytes");
    add("tensor-dtype-99", oneTensor().tensor("t", 99, 0, 1), 45, "dtype id 99; supported: F32,");
    add("tensor-dtype-removed", oneTensor().tensor("t", 4, 0, 32), 45, "dtype id 4; supported");
    add("tensor-dtype-iq2-xxs", oneTensor().tensor("t", 16, 0, 256), 45, "id 16 (IQ2_XXS)");
    add(
        "tensor-half-a-block",
        oneTensor().tensor("t", Q4_K, 0, 128).pad(32).zeros(144),
        45,
        "rows of 128 elements do not fill whole Q4_K blocks of 256");
    add(
        "tensor-twice",
        RawGguf.start(3, 2, 0).tensor("t", F32, 0, 1).tensor("t", F32, 32, 1).zeros(64),
        57,
        "tensor 't' appears twice");
  }

  private void tensorData() {
    add(
        "tensor-offset-misaligned",
        oneTensor().tensor("t", F32, 4, 1).pad(32).zeros(64),
        49,
        "offset 4 is not a multiple of the alignment, 32");
    add(
        "tensor-offset-2-63",
        oneTensor().tensor("t", F32, TWO_63, 1).pad(32).zeros(64),
        24,
        "4 bytes at offset 9223372036854775808 do not lie within the file's 64 bytes of data");
    add(
        "tensor-offset-near-2-63",
        oneTensor().tensor("t", F32, Long.MAX_VALUE - 31, 1).pad(32).zeros(64),
        24,
        "do not lie within");
    add(
        "tensor-offset-past-end",
        oneTensor().tensor("t", F32, 64, 1).pad(32).zeros(64),
        24,
        "4 bytes at offset 64 do not lie within the file's 64 bytes of data");
    add(
        "tensor-bytes-past-end",
        oneTensor().tensor("t", F32, 0, 17).pad(32).zeros(64),
        24,
        "68 bytes at offset 0 do not lie within the file's 64 bytes of data");
    add("tensor-data-missing", oneTensor().tensor("t", F32, 0, 1), 24, "is the file truncated?");
    add(
        "tensors-overlap",
        RawGguf.start(3, 2, 0).tensor("a", F32, 0, 16).tensor("b", F32, 32, 8).pad(32).zeros(64),
        57,
        "tensor 'b' at offset 32 overlaps tensor 'a', which ends at offset 64");
    add(
        "tensors-share-data",
        RawGguf.start(3, 2, 0).tensor("a", F32, 0, 8).tensor("b", F32, 0, 8).pad(32).zeros(32),
        57,
        "overlaps tensor 'a'");
    add(
        "split-under-another-name",
        onePair().pair(Format.SPLIT_COUNT_KEY, MetadataValue.uint32(3)),
        43,
        "split.count is 3; expected the file's name to end in -0000K-of-00003.gguf");
    add(
        "split-count-0",
        onePair().pair(Format.SPLIT_COUNT_KEY, MetadataValue.uint32(0)),
        43,
        "metadata key 'split.count' is 0; expected 1 to 65535");
  }
}
