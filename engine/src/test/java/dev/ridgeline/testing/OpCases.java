package dev.ridgeline.testing;

import dev.ridgeline.tensor.DType;
import java.util.List;
import java.util.stream.Stream;

/**
 * The list of op cases: every op, every weight format for products and embeddings, sizes of 1, a
 * vector's width and one more and one less, a block and one more, a prime, a large one, and steps
 * of 1, 2, 7, 33 and 70 tokens.
 *
 * <p>A backend's test is one line a case:
 *
 * <pre>
 *   &#64;ParameterizedTest &#64;MethodSource("dev.ridgeline.testing.OpCases#all")
 *   void agreesWithTheReference(OpCase c) { OpParity.check(c, backend); }
 * </pre>
 *
 * A benchmark takes {@link #named} and times one of its passes.
 */
public final class OpCases {
  /** The weight formats. */
  static final List<DType> WEIGHT_TYPES =
      Stream.of(DType.values()).filter(DType::isWeight).toList();

  private OpCases() {}

  /** All of them, in order of op; data is made when a case is run. */
  public static Stream<OpCase> all() {
    return Stream.of(
            ProductCases.all(), ElementCases.all(), AttentionCases.all(), ExpertCases.all())
        .flatMap(cases -> cases);
  }

  /**
   * The case of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static OpCase named(String name) {
    return all()
        .filter(c -> c.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no op case '" + name + "'"));
  }
}
