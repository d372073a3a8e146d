package dev.ridgeline.lab.study;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code records.jsonl}: a record a line, each written through to the disk at once and ended by the
 * CRC-32 of what stands before it ({@code ,"crc32":"xxxxxxxx"}}), so that a line that was cut or
 * changed is noticed.
 */
public final class RecordFile {
  private static final Pattern CHECKED = Pattern.compile("(\\{.*),\"crc32\":\"([0-9a-f]{8})\"}");

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .changeDefaultPropertyInclusion(i -> i.withValueInclusion(JsonInclude.Include.NON_NULL))
          .build();

  private final Path file;

  /** The records in {@code file}, which need not be there. */
  public RecordFile(Path file) {
    this.file = file;
  }

  /** A line that is no record. */
  public record Damage(int line, String reason) {}

  /**
   * What is in the file.
   *
   * @param records by id, the last line of each
   * @param damages lines that were skipped
   */
  public record Contents(Map<String, LabRecord> records, List<Damage> damages) {
    /**
     * The record of that id.
     *
     * @throws IllegalArgumentException if there is none
     */
    public LabRecord get(String id) {
      LabRecord record = records.get(id);
      if (record == null) {
        throw new IllegalArgumentException("there is no record " + id);
      }
      return record;
    }

    /** Usable records of a kind. */
    public List<LabRecord> usable(String kind) {
      return records.values().stream().filter(r -> r.kind().equals(kind) && r.isUsable()).toList();
    }
  }

  /** Reads what is there; damaged lines are named and skipped. */
  public Contents read() throws IOException {
    Map<String, LabRecord> records = new LinkedHashMap<>();
    List<Damage> damages = new ArrayList<>();
    if (Files.exists(file)) {
      // Not readAllLines: a damaged line may hold anything, also bytes that are not UTF-8.
      List<String> lines =
          new String(Files.readAllBytes(file), StandardCharsets.UTF_8).lines().toList();
      for (int i = 0; i < lines.size(); i++) {
        if (!lines.get(i).isBlank()) {
          try {
            LabRecord record = parse(lines.get(i));
            records.put(record.id(), record);
          } catch (IllegalArgumentException e) {
            damages.add(new Damage(i + 1, String.valueOf(e.getMessage())));
          }
        }
      }
    }
    return new Contents(records, damages);
  }

  private static LabRecord parse(String line) {
    Matcher m = CHECKED.matcher(line);
    if (!m.matches()) {
      throw new IllegalArgumentException("the line is cut: it does not end in its check sum");
    }
    if (!crc(m.group(1)).equals(m.group(2))) {
      throw new IllegalArgumentException(
          "check sum %s; expected %s: the line was changed".formatted(m.group(2), crc(m.group(1))));
    }
    try {
      return MAPPER.readValue(m.group(1) + "}", LabRecord.class);
    } catch (JacksonException e) {
      throw new IllegalArgumentException(e.getOriginalMessage(), e);
    }
  }

  /** Adds {@code record} and waits until the disk has it. */
  public void append(LabRecord record) throws IOException {
    String json = MAPPER.writeValueAsString(record);
    String open = json.substring(0, json.length() - 1);
    String line = open + ",\"crc32\":\"" + crc(open) + "\"}\n";
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      long end = channel.size();
      if (end > 0 && !endsWithLine(channel, end)) {
        line = "\n" + line;
      }
      ByteBuffer bytes = ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        end += channel.write(bytes, end);
      }
      channel.force(true);
    }
  }

  /** False after a program that was killed while it wrote. */
  private static boolean endsWithLine(FileChannel channel, long end) throws IOException {
    ByteBuffer last = ByteBuffer.allocate(1);
    return channel.read(last, end - 1) == 1 && last.get(0) == '\n';
  }

  private static String crc(String text) {
    var crc = new CRC32();
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    return "%08x".formatted(crc.getValue());
  }
}
