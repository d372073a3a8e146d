package dev.ridgeline.lab.study;

import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.KvType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * What a study measures.
 *
 * @param model the source, from which every variant is made
 * @param variants names of quantizations, as {@link VariantMaker} knows them
 * @param runs runs by generated tokens
 * @param promptTokens of the prompt that time to first token is measured with
 * @param backend what {@code --backend} takes
 * @param options threads and device
 * @param kvType element type of the KV cache
 * @param text what quality is measured on; null = text that the source model writes itself
 * @param qualityTokens tokens of it
 * @param qualityWindow tokens of each window of it
 * @param warmupSeconds time limit of each variant's warm-up
 */
public record StudyPlan(
    Path model,
    List<String> variants,
    Map<Integer, Integer> runs,
    int promptTokens,
    String backend,
    BackendOptions options,
    KvType kvType,
    @Nullable Path text,
    int qualityTokens,
    int qualityWindow,
    double warmupSeconds) {
  /** From the smallest to the original. */
  public static final List<String> DEFAULT_VARIANTS =
      List.of("Q2_K", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "F16", "hybrid");

  private static final Map<Integer, Integer> DEFAULT_RUNS = Map.of(256, 5, 512, 3, 1024, 2);
  private static final List<String> KEYS =
      List.of(
          "model",
          "variants",
          "runs",
          "prompt_tokens",
          "backend",
          "threads",
          "device",
          "kv_type",
          "text",
          "quality_tokens",
          "quality_window",
          "warmup_seconds");

  /** Rejects plans that measure nothing. */
  public StudyPlan {
    variants = List.copyOf(variants);
    runs = java.util.Collections.unmodifiableMap(new TreeMap<>(runs));
    if (variants.isEmpty() || runs.isEmpty()) {
      throw new IllegalArgumentException("the plan has no variants or no runs");
    }
    if (variants.stream().distinct().count() < variants.size()) {
      throw new IllegalArgumentException("variants: one is there twice, in " + variants);
    }
    runs.forEach(
        (tokens, n) -> {
          require("runs: tokens", tokens, 2);
          require("runs: of " + tokens + " tokens", n, 1);
        });
    require("prompt_tokens", promptTokens, 1);
    require("quality_tokens", qualityTokens, 0);
    require("quality_window", qualityWindow, 4);
  }

  private static void require(String what, int found, int least) {
    if (found < least) {
      throw new IllegalArgumentException(
          "%s: expected %d or more, found %d".formatted(what, least, found));
    }
  }

  /** The default plan for {@code model}. */
  public static StudyPlan of(Path model) {
    return of(Map.of(), model, Path.of(""));
  }

  /**
   * Reads a plan; what it leaves out is the default. Paths in it are relative to its own folder.
   *
   * @param model the source where the plan names none
   * @throws IllegalArgumentException with the file, the key, what was expected and found
   */
  public static StudyPlan read(Path file, @Nullable Path model) throws IOException {
    try {
      Object yaml = new Load(LoadSettings.builder().build()).loadFromString(Files.readString(file));
      if (!(yaml == null || yaml instanceof Map)) {
        throw new IllegalArgumentException("expected keys such as 'model: FILE', found " + yaml);
      }
      Map<String, Object> keys = new LinkedHashMap<>();
      if (yaml instanceof Map<?, ?> map) {
        map.forEach((k, v) -> keys.put(String.valueOf(k), v));
      }
      Path folder = file.toAbsolutePath().getParent();
      return of(keys, model, folder == null ? Path.of("") : folder);
    } catch (YamlEngineException e) {
      throw new IllegalArgumentException(file + ": is not YAML: " + e.getMessage(), e);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  private static StudyPlan of(Map<String, Object> keys, @Nullable Path model, Path folder) {
    for (String key : keys.keySet()) {
      if (!KEYS.contains(key)) {
        throw new IllegalArgumentException(
            "key '%s' is not known; known are %s".formatted(key, String.join(", ", KEYS)));
      }
    }
    Path source = model != null ? model : path(keys.get("model"), folder);
    if (source == null) {
      throw new IllegalArgumentException("no model; name one with 'model: FILE' or -m FILE");
    }
    return new StudyPlan(
        source,
        variants(keys.get("variants")),
        runs(keys.get("runs")),
        integer(keys, "prompt_tokens", 128),
        String.valueOf(keys.getOrDefault("backend", "auto")),
        new BackendOptions(integer(keys, "threads", 0), integer(keys, "device", 0)),
        kvType(String.valueOf(keys.getOrDefault("kv_type", "f16"))),
        path(keys.get("text"), folder),
        integer(keys, "quality_tokens", 4096),
        integer(keys, "quality_window", 512),
        integer(keys, "warmup_seconds", 10));
  }

  private static @Nullable Path path(@Nullable Object value, Path folder) {
    return value == null ? null : folder.resolve(String.valueOf(value));
  }

  private static List<String> variants(@Nullable Object value) {
    return switch (value) {
      case null -> DEFAULT_VARIANTS;
      case List<?> list -> list.stream().map(String::valueOf).toList();
      default ->
          throw new IllegalArgumentException(
              "variants: expected a list such as [Q4_K_M, F16], found '" + value + "'");
    };
  }

  private static Map<Integer, Integer> runs(@Nullable Object value) {
    if (value == null) {
      return DEFAULT_RUNS;
    }
    var runs = new TreeMap<Integer, Integer>();
    if (value instanceof Map<?, ?> map) {
      map.forEach(
          (k, v) -> {
            if (k instanceof Integer tokens && v instanceof Integer n) {
              runs.put(tokens, n);
            }
          });
      if (runs.size() == map.size()) {
        return runs;
      }
    }
    throw new IllegalArgumentException(
        "runs: expected runs by tokens such as {256: 5, 512: 3}, found '" + value + "'");
  }

  private static int integer(Map<String, Object> keys, String key, int otherwise) {
    Object value = keys.getOrDefault(key, otherwise);
    if (value instanceof Integer n && n >= 0) {
      return n;
    }
    throw new IllegalArgumentException(
        "%s: expected a whole number of 0 or more, found '%s'".formatted(key, value));
  }

  private static KvType kvType(String name) {
    try {
      return KvType.valueOf(name.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("kv_type: expected f16 or q8_0, found '" + name + "'", e);
    }
  }

  /** This plan on other machinery. */
  public StudyPlan with(String backend, BackendOptions options, KvType kvType) {
    return new StudyPlan(
        model,
        variants,
        runs,
        promptTokens,
        backend,
        options,
        kvType,
        text,
        qualityTokens,
        qualityWindow,
        warmupSeconds);
  }

  /** This plan with quality measured on {@code text}. */
  public StudyPlan withText(Path text) {
    return new StudyPlan(
        model,
        variants,
        runs,
        promptTokens,
        backend,
        options,
        kvType,
        text,
        qualityTokens,
        qualityWindow,
        warmupSeconds);
  }
}
