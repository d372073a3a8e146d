package dev.ridgeline.quantize;

import dev.ridgeline.tensor.DType;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;

/**
 * A format for the tensors of certain names.
 *
 * @param names found anywhere in a tensor's name
 * @param type a weight format
 * @param orSmaller whether a format of smaller blocks may stand in where rows do not fill those of
 *     {@code type}; else that is an error
 */
public record TensorRule(Pattern names, DType type, boolean orSmaller) {
  /** Rejects formats that no weight can have. */
  public TensorRule {
    if (!type.isWeight()) {
      throw new IllegalArgumentException(
          "%s is no weight format; expected one of %s".formatted(type, types()));
    }
  }

  /**
   * Reads {@code REGEX=TYPE}; the type's case does not matter.
   *
   * @throws IllegalArgumentException in one line, if it is not of that form
   */
  public static TensorRule parse(String text) {
    int at = text.lastIndexOf('=');
    if (at <= 0) {
      throw new IllegalArgumentException(
          "'%s': expected REGEX=TYPE, such as 'attn_v=Q6_K'".formatted(text));
    }
    String name = text.substring(at + 1).toUpperCase(Locale.ROOT);
    DType type =
        Arrays.stream(DType.values())
            .filter(t -> t.isWeight() && t.name().equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "'%s': unknown tensor type '%s'; expected one of %s"
                            .formatted(text, text.substring(at + 1), types())));
    try {
      return new TensorRule(Pattern.compile(text.substring(0, at)), type, false);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "'%s': not a regular expression: %s"
              .formatted(text, e.getDescription() + " near index " + e.getIndex()),
          e);
    }
  }

  boolean matches(String tensor) {
    return names.matcher(tensor).find();
  }

  private static String types() {
    return Arrays.stream(DType.values())
        .filter(DType::isWeight)
        .map(DType::name)
        .collect(Collectors.joining(", "));
  }
}
