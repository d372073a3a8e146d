package dev.ridgeline.tensor;

/**
 * Up to four dimensions in ggml's order: {@code ne0} is the contiguous one (columns), {@code ne1}
 * the rows, {@code ne2} and {@code ne3} planes of rows. Unused dimensions are 1.
 */
public record Shape(long ne0, long ne1, long ne2, long ne3) {
  /** Rejects negative dimensions and element counts past 2^63. */
  public Shape {
    if (ne0 < 0 || ne1 < 0 || ne2 < 0 || ne3 < 0) {
      throw new IllegalArgumentException(
          "negative dimension in [" + ne0 + ", " + ne1 + ", " + ne2 + ", " + ne3 + "]");
    }
    long _ = Math.multiplyExact(Math.multiplyExact(Math.multiplyExact(ne0, ne1), ne2), ne3);
  }

  /** A shape of one to four dimensions. */
  public static Shape of(long... ne) {
    if (ne.length == 0 || ne.length > 4) {
      throw new IllegalArgumentException(ne.length + " dimensions; expected 1 to 4");
    }
    return new Shape(
        ne[0], ne.length > 1 ? ne[1] : 1, ne.length > 2 ? ne[2] : 1, ne.length > 3 ? ne[3] : 1);
  }

  /** Product of the dimensions. */
  public long elements() {
    return ne0 * ne1 * ne2 * ne3;
  }

  /** Rows of {@code ne0} elements in all: {@code ne1 * ne2 * ne3}. */
  public long rows() {
    return ne1 * ne2 * ne3;
  }

  @Override
  public String toString() {
    String rest = ne3 > 1 ? ", " + ne2 + ", " + ne3 : ne2 > 1 ? ", " + ne2 : "";
    return "[" + ne0 + (ne1 > 1 || ne2 > 1 || ne3 > 1 ? ", " + ne1 : "") + rest + "]";
  }
}
