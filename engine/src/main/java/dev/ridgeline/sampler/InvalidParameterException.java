package dev.ridgeline.sampler;

import org.jspecify.annotations.Nullable;

/** A parameter of a request is out of range; the message names it, what was expected and found. */
public final class InvalidParameterException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  private final String field;

  /**
   * @param field the parameter's name as its record spells it, nested ones with dots
   * @param expected the values that are allowed
   * @param found what was given
   */
  public InvalidParameterException(String field, String expected, @Nullable Object found) {
    super("%s: expected %s, found %s".formatted(field, expected, found));
    this.field = field;
  }

  /** The parameter's name. */
  public String field() {
    return field;
  }

  /** Throws unless {@code valid}. */
  public static void require(boolean valid, String field, String expected, @Nullable Object found) {
    if (!valid) {
      throw new InvalidParameterException(field, expected, found);
    }
  }

  /** Throws unless {@code low <= value <= high}. */
  static void requireWithin(float low, float high, String field, float value) {
    require(value >= low && value <= high, field, "%s to %s".formatted(low, high), value);
  }
}
