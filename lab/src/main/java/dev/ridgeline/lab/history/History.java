package dev.ridgeline.lab.history;

import dev.ridgeline.lab.MachineInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The store of all runs: one SQLite file with the table {@code runs}, which any SQLite tool reads.
 * Several processes may write at once; each waits for the others.
 */
public final class History implements AutoCloseable {
  private static final String COLUMNS =
      "time, kind, os, cpu, processors, memory_bytes, jvm, ridgeline, commit_id, model, model_hash,"
          + " variant, backend, threads, batch, kv_type, prompt_tokens, generate_tokens, depth,"
          + " tokens_per_second, speeds, bytes_per_token, share_of_limit";
  private static final String TABLE =
      """
      create table if not exists runs (
        id integer primary key, time text not null, kind text not null, os text not null, cpu text not null,
        processors integer not null, memory_bytes integer not null, jvm text not null, ridgeline text not null,
        commit_id text not null, model text not null, model_hash text not null, variant text not null,
        backend text not null, threads integer not null, batch integer not null, kv_type text not null,
        prompt_tokens integer not null, generate_tokens integer not null, depth integer not null,
        tokens_per_second real not null, speeds text not null, bytes_per_token real not null,
        share_of_limit real not null)""";

  private final Path file;
  private final Connection connection;

  private History(Path file, Connection connection) {
    this.file = file;
    this.connection = connection;
  }

  /**
   * {@code $RIDGELINE_HISTORY}, else {@code $XDG_DATA_HOME/ridgeline/history.db}, else the same
   * under {@code ~/.local/share}.
   */
  public static Path defaultPath() {
    String named = System.getenv("RIDGELINE_HISTORY");
    if (named != null && !named.isBlank()) {
      return Path.of(named);
    }
    String xdg = System.getenv("XDG_DATA_HOME");
    Path data =
        xdg == null || xdg.isBlank()
            ? Path.of(System.getProperty("user.home"), ".local", "share")
            : Path.of(xdg);
    return data.resolve("ridgeline").resolve("history.db");
  }

  /**
   * Opens the store, and makes it where it is missing.
   *
   * @throws IllegalArgumentException if the file is not a store or cannot be written
   */
  public static History open(Path file) {
    try {
      Path folder = file.toAbsolutePath().getParent();
      if (folder != null) {
        Files.createDirectories(folder);
      }
      Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
      try (Statement statement = connection.createStatement()) {
        statement.execute("pragma busy_timeout = 10000");
        statement.execute(TABLE);
      } catch (SQLException e) {
        connection.close();
        throw e;
      }
      return new History(file, connection);
    } catch (SQLException | IOException e) {
      throw new IllegalArgumentException(
          "%s: cannot be used as the history (%s); name another file with --history"
              .formatted(file, e.getMessage()),
          e);
    }
  }

  /** Stores {@code entries}, all or none. */
  public void add(List<Entry> entries) {
    String marks = COLUMNS.replaceAll("\\w+", "?");
    String sql = "insert into runs (%s) values (%s)".formatted(COLUMNS, marks);
    try (PreparedStatement insert = connection.prepareStatement(sql)) {
      connection.setAutoCommit(false);
      for (Entry entry : entries) {
        bind(insert, entry);
        insert.addBatch();
      }
      insert.executeBatch();
      connection.commit();
      connection.setAutoCommit(true);
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  private static void bind(PreparedStatement insert, Entry e) throws SQLException {
    MachineInfo m = e.machine();
    Object[] values = {
      e.time().toString(),
      e.kind(),
      m.os(),
      m.cpu(),
      m.processors(),
      m.memoryBytes(),
      m.jvm(),
      m.ridgeline(),
      m.commit(),
      e.model(),
      e.modelHash(),
      e.variant(),
      e.setup().backend(),
      e.setup().threads(),
      e.setup().batch(),
      e.setup().kvType(),
      e.promptTokens(),
      e.generateTokens(),
      e.depth(),
      e.tokensPerSecond().median(),
      e.speeds().stream().map(String::valueOf).collect(Collectors.joining(" ")),
      e.bytesPerToken(),
      e.shareOfLimit()
    };
    for (int i = 0; i < values.length; i++) {
      insert.setObject(i + 1, values[i]);
    }
  }

  /**
   * The newest entries, oldest first.
   *
   * @param model part of the model's name, its variant or the start of its hash; null = all
   * @param most how many
   */
  public List<Entry> list(@Nullable String model, int most) {
    return query(
        "where ?1 is null or instr(lower(model || ' ' || variant), lower(?1)) > 0"
            + " or substr(model_hash, 1, length(?1)) = ?1 order by id desc limit ?2",
        model,
        most);
  }

  /**
   * The entry of that id.
   *
   * @throws IllegalArgumentException if there is none
   */
  public Entry get(long id) {
    List<Entry> found = query("where id = ?1", id);
    if (found.isEmpty()) {
      throw new IllegalArgumentException(
          "%s has no run %d; 'ridgeline history' lists what it has".formatted(file, id));
    }
    return found.getFirst();
  }

  private List<Entry> query(String where, @Nullable Object... parameters) {
    String sql = "select id, %s from runs %s".formatted(COLUMNS, where);
    try (PreparedStatement select = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        select.setObject(i + 1, parameters[i]);
      }
      List<Entry> entries = new ArrayList<>();
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          entries.add(entry(rows));
        }
      }
      return entries.reversed();
    } catch (SQLException e) {
      throw failed(e);
    }
  }

  private static Entry entry(ResultSet r) throws SQLException {
    var machine =
        new MachineInfo(
            r.getString("os"),
            r.getString("cpu"),
            r.getInt("processors"),
            r.getLong("memory_bytes"),
            r.getString("jvm"),
            r.getString("ridgeline"),
            r.getString("commit_id"));
    var flags =
        new Entry.Flags(
            r.getString("backend"), r.getInt("threads"), r.getInt("batch"), r.getString("kv_type"));
    return new Entry(
        r.getLong("id"),
        Instant.parse(r.getString("time")),
        r.getString("kind"),
        machine,
        r.getString("model"),
        r.getString("model_hash"),
        r.getString("variant"),
        flags,
        r.getInt("prompt_tokens"),
        r.getInt("generate_tokens"),
        r.getInt("depth"),
        Arrays.stream(r.getString("speeds").split(" ")).map(Double::valueOf).toList(),
        r.getDouble("bytes_per_token"),
        r.getDouble("share_of_limit"));
  }

  private IllegalArgumentException failed(SQLException e) {
    return new IllegalArgumentException("%s: %s".formatted(file, e.getMessage()), e);
  }

  @Override
  public void close() {
    try {
      connection.close();
    } catch (SQLException e) {
      throw failed(e);
    }
  }
}
