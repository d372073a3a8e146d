package dev.ridgeline.quantize;

import dev.ridgeline.gguf.GgufException;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.gguf.Metadata;
import dev.ridgeline.gguf.MetadataValue;
import dev.ridgeline.model.FileType;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Decides for every tensor of a file what becomes of it. */
final class Recipe {
  /**
   * Matrices that are small, read element by element, or decide by small differences: left as they
   * are.
   */
  private static final Pattern LEFT_ALONE =
      Pattern.compile(
          "_norm\\.weight|ffn_gate_inp|position_embd|token_types|pos_embd|ssm_conv1d|shortconv"
              + "|attn_rel_b|altup|laurel|per_layer_model_proj|time_mix_|output_proj_norm");

  private final GgufFile source;
  private final QuantizePlan plan;
  private final FileType.Traits traits;
  private final Set<TensorRule> used = new HashSet<>();

  private Recipe(GgufFile source, QuantizePlan plan) {
    this.source = source;
    this.plan = plan;
    this.traits = traits(source, plan.importance().isPresent());
  }

  /**
   * One entry for each tensor, in the file's order.
   *
   * @throws IllegalArgumentException in one line, if the plan cannot be carried out on this file
   */
  static List<TensorPlan> of(GgufFile source, QuantizePlan plan) {
    var recipe = new Recipe(source, plan);
    var all = new ArrayList<TensorPlan>();
    source.tensors().values().forEach(t -> all.add(recipe.planOf(t)));
    for (TensorRule rule : plan.rules()) {
      if (!recipe.used.contains(rule) && recipe.matchesNothing(rule)) {
        throw new IllegalArgumentException(
            "%s: no matrix among its %d tensors has a name with '%s' in it"
                .formatted(source.path(), all.size(), rule.names()));
      }
    }
    return all;
  }

  /** A rule that only others came before is no mistake. */
  private boolean matchesNothing(TensorRule rule) {
    return source.tensors().values().stream().noneMatch(t -> isMatrix(t) && rule.matches(t.name()));
  }

  /** Whether quantization is for this tensor at all. */
  private static boolean isMatrix(Tensor t) {
    return t.type().isWeight()
        && t.name().endsWith("weight")
        && t.shape().rows() > 1
        && !LEFT_ALONE.matcher(t.name()).find();
  }

  private TensorPlan planOf(Tensor t) {
    if (!isMatrix(t)) {
      return new TensorPlan(t.name(), t.shape(), t.type(), t.type(), false, false);
    }
    Optional<TensorRule> rule = plan.rules().stream().filter(r -> r.matches(t.name())).findFirst();
    rule.ifPresent(used::add);
    DType wanted =
        rule.map(TensorRule::type)
            .orElseGet(() -> plan.type().wantedTypeOf(t.name(), t.shape(), traits));
    boolean exact = rule.isPresent() && !rule.get().orSmaller();
    DType to = exact ? wanted : FileType.fitting(wanted, t.shape());
    check(t, to);
    boolean weighted =
        to.isQuantized() && to != t.type() && plan.importance().map(i -> fits(i, t)).orElse(false);
    return new TensorPlan(t.name(), t.shape(), t.type(), to, to != wanted, weighted);
  }

  private void check(Tensor t, DType to) {
    if (t.shape().ne0() % to.blockElements() != 0) {
      throw new IllegalArgumentException(
          "%s: tensor '%s' has rows of %d elements; %s needs whole blocks of %d: give it another type"
              .formatted(source.path(), t.name(), t.shape().ne0(), to, to.blockElements()));
    }
    boolean convertible = !t.type().isQuantized() || t.type() == DType.Q8_0;
    if (to != t.type() && !convertible && !plan.requantize()) {
      throw new IllegalArgumentException(
          ("%s: tensor '%s' is %s already; expected F32, F16, BF16 or Q8_0. Start from the original"
                  + " file, or pass --requantize to lose quality twice")
              .formatted(source.path(), t.name(), t.type()));
    }
  }

  /** Whether there is an entry for {@code t}; one of another shape is of another model. */
  private boolean fits(Importance importance, Tensor t) {
    Importance.Entry entry = importance.entry(t.name());
    if (entry == null) {
      return false;
    }
    if (!entry.fits(t.shape().ne0(), t.shape().ne2() * t.shape().ne3())) {
      throw new IllegalArgumentException(
          ("the importance matrix has %d columns for '%s', which is %s in %s: it was measured on"
                  + " another model")
              .formatted(entry.sumOfSquares().length, t.name(), t.shape(), source.path()));
    }
    return true;
  }

  private static FileType.Traits traits(GgufFile source, boolean importance) {
    Metadata metadata = source.metadata();
    String arch = metadata.string("general.architecture", "");
    int layers = first(metadata, arch + ".block_count", 0);
    int heads = first(metadata, arch + ".attention.head_count", 1);
    int headsKv = first(metadata, arch + ".attention.head_count_kv", heads);
    return new FileType.Traits(
        layers,
        headsKv == 0 ? 1 : heads / headsKv,
        first(metadata, arch + ".expert_count", 0),
        !source.tensors().containsKey("output.weight"),
        importance);
  }

  /** An integer, or the first of an array of them (some architectures have one for each layer). */
  private static int first(Metadata metadata, String key, int otherwise) {
    long value =
        metadata.values().get(key) instanceof MetadataValue.Ints(var _, long[] values)
                && values.length > 0
            ? values[0]
            : metadata.integer(key, otherwise);
    if (value < 0 || value > Integer.MAX_VALUE) {
      throw new GgufException(
          metadata.file(), "metadata key '%s' is %d; expected a count".formatted(key, value));
    }
    return (int) value;
  }
}
