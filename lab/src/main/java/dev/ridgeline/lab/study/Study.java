package dev.ridgeline.lab.study;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.Place;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.graph.Fusion;
import dev.ridgeline.lab.LoadedModel;
import dev.ridgeline.lab.MachineFigures;
import dev.ridgeline.lab.MachineInfo;
import dev.ridgeline.lab.ModelHash;
import dev.ridgeline.model.Model;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Makes every variant of a plan, measures every cell that has no record yet, and keeps each result
 * at once, so that a study that was interrupted goes on where it was. A cell that fails becomes a
 * record with its reason; a later call tries it again.
 *
 * <p>A cell is a variant's file, one of its runs, or its quality. Runs go round over the variants
 * where all fit into memory together, so that a machine that slows down does not punish the last
 * one only; else variant by variant. A variant that the device cannot hold is measured with layers
 * on the processor, and marked so; where that does not fit either, it is estimated.
 */
public final class Study {
  static final String RECORDS = "records.jsonl";
  private static final String MODELS = "models";

  private final StudyPlan plan;
  private final Path folder;
  private final VariantMaker maker;
  private final Backend backend;
  private final StudyProgress progress;
  private final RecordFile file;
  private Map<String, LabRecord> records = new LinkedHashMap<>();

  /**
   * A study of {@code plan} into {@code folder}.
   *
   * @param backend stays open
   * @throws IllegalArgumentException if the plan names a variant that {@code maker} does not know
   */
  public Study(
      StudyPlan plan, Path folder, VariantMaker maker, Backend backend, StudyProgress progress) {
    this.plan = plan;
    this.folder = folder;
    this.maker = maker;
    this.backend = backend;
    this.progress = progress;
    this.file = new RecordFile(folder.resolve(RECORDS));
    plan.variants().forEach(maker::check);
  }

  /**
   * Measures what is missing.
   *
   * @throws IllegalArgumentException if the folder holds another study, or nothing can be measured
   */
  public RecordFile.Contents run() throws IOException {
    try (GgufFile source = GgufFile.open(plan.model())) {
      Model model = Model.read(source.metadata(), source.tensors());
      Files.createDirectories(folder.resolve(MODELS));
      RecordFile.Contents before = file.read();
      before.damages().forEach(d -> progress.damaged(d.line(), d.reason()));
      records = new LinkedHashMap<>(before.records());
      LabRecord.Session session = session(source, model);
      refuseOtherStudy(before, session);
      append("session/" + (1 + sessions(before)), r -> r.session(session));
      List<StudyVariant> variants = makeAll(source, session);
      measureRuns(variants, session);
      measureQuality(variants, session);
      progress.done();
    }
    if (isWhole()) {
      deleteModels();
    }
    return file.read();
  }

  private static long sessions(RecordFile.Contents contents) {
    return contents.records().values().stream().filter(r -> r.kind().equals("session")).count();
  }

  private LabRecord.Session session(GgufFile source, Model model) throws IOException {
    int context = model.contextLength();
    Map<Integer, Integer> runs = new TreeMap<>(plan.runs());
    runs.keySet().removeIf(tokens -> tokens > context);
    List<Integer> leftOut = plan.runs().keySet().stream().filter(t -> t > context).toList();
    if (runs.isEmpty()) {
      throw new IllegalArgumentException(
          "runs: every length of %s is past the model's context of %d; expected shorter ones"
              .formatted(plan.runs().keySet(), context));
    }
    progress.say("measuring what the machine can do");
    MachineFigures limits = MachineFigures.measure(backend);
    String hash = ModelHash.of(source.parts());
    String text =
        plan.text() == null
            ? "text that the source writes itself at temperature 1"
            : Objects.requireNonNull(plan.text()).getFileName()
                + ", SHA-256 "
                + ModelHash.of(List.of(plan.text())).substring(0, 12);
    int prompt = Math.min(plan.promptTokens(), context);
    LaunchProbe launch =
        LaunchProbe.of(backend, plan.kvType(), Math.min(LaunchProbe.SECONDS, plan.warmupSeconds()));
    String key =
        "%s %s %s prompt %d %s threads %d KV %s %s %d/%d"
            .formatted(
                hash,
                plan.variants(),
                runs,
                prompt,
                limits.backend(),
                limits.threads(),
                plan.kvType(),
                text,
                plan.qualityTokens(),
                plan.qualityWindow());
    return new LabRecord.Session(
        MachineInfo.here(),
        limits,
        model.name(),
        hash,
        source.tensors().values().stream().mapToLong(t -> t.shape().elements()).sum(),
        context,
        plan.variants(),
        runs,
        leftOut,
        prompt,
        plan.kvType().name().toLowerCase(Locale.ROOT),
        Fusion.fuse(model.graph()).ops().size(),
        launch.microsPerOp(),
        launch.microsPerStep(),
        text,
        plan.qualityTokens(),
        key);
  }

  private void refuseOtherStudy(RecordFile.Contents before, LabRecord.Session now) {
    for (LabRecord record : before.usable("session")) {
      String key = Objects.requireNonNull(record.session()).planKey();
      if (!key.equals(now.planKey())) {
        throw new IllegalArgumentException(
            "%s: holds another study; expected %s, found %s; name another folder with --out"
                .formatted(folder, now.planKey(), key));
      }
    }
  }

  // --- variants ---

  private List<StudyVariant> makeAll(GgufFile source, LabRecord.Session session) {
    List<StudyVariant> all = new ArrayList<>();
    for (String name : plan.variants()) {
      StudyVariant variant =
          new StudyVariant(name, isSource(source, name) ? plan.model() : path(name));
      String id = "variant/" + name;
      boolean needed = cells(session, name).stream().anyMatch(this::isMissing);
      if (isMissing(id) || needed) {
        guarded(id, () -> make(source, variant, session));
      }
      LabRecord record = records.get(id);
      if (record != null && record.isUsable() && Files.exists(variant.path())) {
        all.add(variant);
      } else if (needed) {
        String why = record == null ? "it was not made" : String.valueOf(record.note());
        cells(session, name).stream().filter(this::isMissing).forEach(c -> fail(c, why));
      }
    }
    return all;
  }

  private Path path(String variant) {
    return folder.resolve(MODELS).resolve(variant + ".gguf");
  }

  /** Whether the source is of that type already. */
  private static boolean isSource(GgufFile source, String variant) {
    long type = source.metadata().integer("general.file_type", -1);
    return Quantizations.fileType(variant).filter(t -> t.id() == type).isPresent();
  }

  private void make(GgufFile source, StudyVariant variant, LabRecord.Session session)
      throws IOException {
    LabRecord known = records.get("variant/" + variant.name());
    double seconds = known == null || known.variant() == null ? 0 : known.variant().makeSeconds();
    if (!Files.exists(variant.path())) {
      long start = System.nanoTime();
      maker.make(
          source.path(),
          variant.name(),
          variant.path(),
          share -> progress.say("quantizing %s: %.0f %%".formatted(variant.name(), 100 * share)));
      seconds = (System.nanoTime() - start) / 1e9;
    }
    if (isMissing("variant/" + variant.name())) {
      LabRecord.Variant facts = variant.facts(backend, room(session), seconds);
      append("variant/" + variant.name(), r -> r.variant(facts));
    }
  }

  private LabRecord.Session current() {
    return Objects.requireNonNull(
        records.values().stream()
            .filter(r -> r.session() != null)
            .reduce((_, last) -> last)
            .orElseThrow()
            .session());
  }

  private LoadedModel.Room room(LabRecord.Session session) {
    int longest = session.runs().keySet().stream().max(Integer::compare).orElseThrow();
    int context = Math.max(longest, session.promptTokens());
    return LoadedModel.Room.of(context, session.promptTokens(), plan.kvType());
  }

  // --- runs ---

  private void measureRuns(List<StudyVariant> variants, LabRecord.Session session) {
    List<StudyVariant> open =
        variants.stream()
            .filter(v -> runIds(session, v.name()).stream().anyMatch(this::isMissing))
            .toList();
    List<StudyVariant> whole = new ArrayList<>();
    List<StudyVariant> others = new ArrayList<>();
    Map<String, Long> bytes = new TreeMap<>();
    for (StudyVariant v : open) {
      try {
        List<Place> places = v.places(backend, room(session));
        boolean fits = places.stream().allMatch(p -> p.fits() && p.kind() != Place.Kind.SPILLED);
        (fits ? whole : others).add(v);
        if (fits) {
          places.forEach(p -> bytes.merge(p.device(), p.memory().totalBytes(), Long::sum));
        }
      } catch (RuntimeException e) {
        failRuns(v, session, reason(e));
      }
    }
    var here = new Ground(session.limits(), null, null);
    boolean together =
        !whole.isEmpty()
            && whole.getLast().places(backend, room(session)).stream()
                .allMatch(p -> Place.fits(bytes.getOrDefault(p.device(), 0L), p.availableBytes()));
    if (together) {
      measureGroup(whole, here, session);
    } else {
      whole.forEach(v -> measureGroup(List.of(v), here, session));
    }
    others.forEach(v -> measureElsewhere(v, session));
  }

  /**
   * Where runs take place.
   *
   * @param limits of it
   * @param gpuBytes of the variant that GPUs hold, where the processor has layers too
   * @param note for each record; null where all is as planned
   */
  private record Ground(MachineFigures limits, @Nullable Long gpuBytes, @Nullable String note) {}

  /** A variant that the device cannot hold: with layers on the processor, or else estimated. */
  private void measureElsewhere(StudyVariant variant, LabRecord.Session session) {
    List<Place> places = variant.places(backend, room(session));
    String why =
        "does not fit %s: it takes %.3f GB"
            .formatted(
                session.limits().backend(),
                places.stream().mapToLong(p -> p.memory().totalBytes()).sum() / 1e9);
    if (places.stream().allMatch(Place::fits)) {
      String note = why + "; measured " + where(places);
      try {
        var there = new Ground(MachineFigures.measure(backend), gpuBytes(places), note);
        measureGroup(List.of(variant), there, session);
      } catch (RuntimeException e) {
        failRuns(variant, session, reason(e));
      }
      return;
    }
    estimate(variant, session, why);
  }

  private static String where(List<Place> places) {
    return places.size() == 1
        ? "on " + places.getFirst().device() + " instead"
        : places.stream()
            .map(
                p ->
                    "layers %d to %d of %d on %s (%.3f of %.3f GB)"
                        .formatted(
                            p.firstLayer(),
                            p.firstLayer() + p.layers() - 1,
                            p.ofLayers(),
                            p.device(),
                            p.memory().totalBytes() / 1e9,
                            p.availableBytes() / 1e9))
            .collect(Collectors.joining(", ", "with ", ""));
  }

  private static @Nullable Long gpuBytes(List<Place> places) {
    return places.size() == 1
        ? null
        : (Long)
            places.stream()
                .filter(p -> p.kind() == Place.Kind.DEVICE)
                .mapToLong(p -> p.memory().totalBytes() - p.memory().stagingBytes())
                .sum();
  }

  private void estimate(StudyVariant variant, LabRecord.Session session, String why) {
    double share = StudyEstimate.medianShare(records.values());
    for (Map.Entry<Integer, Integer> length : session.runs().entrySet()) {
      int tokens = length.getKey();
      for (int run = 1; run <= length.getValue(); run++) {
        String id = runId(variant.name(), tokens, run);
        int number = run;
        if (isMissing(id)) {
          guarded(
              id,
              () -> {
                LabRecord.Run estimate =
                    StudyEstimate.of(variant, tokens, number, plan.kvType(), session, share);
                String note =
                    why
                        + "; estimated from its bytes and operations at %.0f %% of the machine's limit, %s"
                            .formatted(
                                100 * share,
                                StudyEstimate.isMeasured(records.values())
                                    ? "the median share of the variants that were measured"
                                    : "an upper bound, as none was measured");
                append(id, r -> r.estimated(note).run(estimate));
              });
        }
      }
    }
  }

  private void measureGroup(List<StudyVariant> variants, Ground ground, LabRecord.Session session) {
    Map<StudyVariant, OpenVariant> open = new LinkedHashMap<>();
    try {
      for (StudyVariant v : variants) {
        progress.say("loading and warming up " + v.name());
        openOrFail(v, ground, session).ifPresent(o -> open.put(v, o));
      }
      int rounds = session.runs().values().stream().max(Integer::compare).orElseThrow();
      for (int round = 1; round <= rounds; round++) {
        for (Map.Entry<Integer, Integer> length : session.runs().entrySet()) {
          if (round <= length.getValue()) {
            measureRound(open, length.getKey(), round, session, ground.note);
          }
        }
      }
    } finally {
      open.values().forEach(OpenVariant::close);
    }
  }

  private Optional<OpenVariant> openOrFail(
      StudyVariant variant, Ground ground, LabRecord.Session session) {
    try {
      return Optional.of(
          new OpenVariant(
              variant,
              backend,
              ground.limits,
              ground.gpuBytes,
              room(session),
              session.promptTokens(),
              plan.warmupSeconds()));
    } catch (RuntimeException | OutOfMemoryError e) {
      failRuns(variant, session, reason(e));
      return Optional.empty();
    }
  }

  private void failRuns(StudyVariant variant, LabRecord.Session session, String why) {
    runIds(session, variant.name()).stream().filter(this::isMissing).forEach(c -> fail(c, why));
  }

  private void measureRound(
      Map<StudyVariant, OpenVariant> open,
      int tokens,
      int round,
      LabRecord.Session session,
      @Nullable String note) {
    open.forEach(
        (variant, loaded) -> {
          String id = runId(variant.name(), tokens, round);
          if (isMissing(id)) {
            progress.cell(id, cells(session).size() - missing(session), cells(session).size());
            guarded(
                id,
                () -> {
                  LabRecord.Run run = loaded.measure(tokens, round);
                  append(id, r -> r.note(note).run(run));
                });
          }
        });
  }

  // --- quality ---

  private void measureQuality(List<StudyVariant> variants, LabRecord.Session session) {
    List<StudyVariant> open =
        variants.stream().filter(v -> isMissing("quality/" + v.name())).toList();
    if (open.isEmpty() || plan.qualityTokens() == 0) {
      return;
    }
    try (StudyQuality quality = new StudyQuality(plan, backend, session.contextLength())) {
      for (StudyVariant v : open) {
        String id = "quality/" + v.name();
        progress.cell(id, cells(session).size() - missing(session), cells(session).size());
        guarded(
            id,
            () -> {
              LabRecord.Quality measured = quality.measure(v, progress);
              append(id, r -> r.quality(measured));
            });
      }
    } catch (RuntimeException | IOException | OutOfMemoryError e) {
      open.stream()
          .map(v -> "quality/" + v.name())
          .filter(this::isMissing)
          .forEach(c -> fail(c, reason(e)));
    }
  }

  // --- cells and records ---

  private static String runId(String variant, int tokens, int run) {
    return "run/%s/%d/%d".formatted(variant, tokens, run);
  }

  private static List<String> runIds(LabRecord.Session session, String variant) {
    List<String> ids = new ArrayList<>();
    session
        .runs()
        .forEach(
            (tokens, runs) -> {
              for (int run = 1; run <= runs; run++) {
                ids.add(runId(variant, tokens, run));
              }
            });
    return ids;
  }

  /** Every cell of a variant. */
  private List<String> cells(LabRecord.Session session, String variant) {
    List<String> ids = new ArrayList<>();
    ids.add("variant/" + variant);
    ids.addAll(runIds(session, variant));
    if (plan.qualityTokens() > 0) {
      ids.add("quality/" + variant);
    }
    return ids;
  }

  private List<String> cells(LabRecord.Session session) {
    return plan.variants().stream().flatMap(v -> cells(session, v).stream()).toList();
  }

  private boolean isMissing(String id) {
    LabRecord record = records.get(id);
    return record == null || !record.isUsable();
  }

  private int missing(LabRecord.Session session) {
    return (int) cells(session).stream().filter(this::isMissing).count();
  }

  private boolean isWhole() {
    return missing(current()) == 0;
  }

  /** Runs {@code work}; what it throws becomes the record of {@code id}. */
  private void guarded(String id, Work work) {
    try {
      work.run();
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      fail(id, reason(e));
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  private static String reason(Throwable e) {
    String message = e.getMessage();
    return e instanceof OutOfMemoryError
        ? "out of memory: " + message
        : message == null ? e.getClass().getSimpleName() : message;
  }

  private void fail(String id, String why) {
    progress.failed(id, why);
    String note = withoutFolders(why);
    try {
      append(id, r -> r.failed(note));
    } catch (IOException e) {
      throw new UncheckedIOException(folder + ": cannot keep records", e);
    }
  }

  /** Reports are passed on; where files stood on this machine is nobody's business. */
  private String withoutFolders(String text) {
    return text.replace(folder.toAbsolutePath() + "/", "").replace(folder + "/", "");
  }

  private void append(String id, UnaryOperator<RecordBuilder> part) throws IOException {
    String now = Instant.now().truncatedTo(ChronoUnit.MILLIS).toString();
    LabRecord record = part.apply(new RecordBuilder(id, now)).build();
    file.append(record);
    records.put(id, record);
  }

  /** Only models that can be made again; the folder keeps the report. */
  private void deleteModels() throws IOException {
    Path models = folder.resolve(MODELS);
    // All of it: a call that was killed while it quantized may have left a part of a file.
    try (Stream<Path> files = Files.list(models)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(models);
  }
}
