package dev.ridgeline.backend;

/**
 * What compiling a graph would take of one device.
 *
 * @param device for people: {@code "cpu"}, {@code "vulkan 0, NVIDIA H200"}
 * @param firstLayer first attention layer that runs there
 * @param layers attention layers that run there, in a row; the first place also has the embedding,
 *     the last one the output
 * @param ofLayers attention layers of the whole graph
 * @param memory bytes that they take
 * @param availableBytes bytes that the device could give
 * @param kind why there
 */
public record Place(
    String device,
    int firstLayer,
    int layers,
    int ofLayers,
    MemoryPlan memory,
    long availableBytes,
    Kind kind) {
  /** Why layers are in a place. */
  public enum Kind {
    /** On the processor, as it was asked for or as there is nothing else. */
    HOST,
    /** On a device with memory of its own. */
    DEVICE,
    /** On the processor, since no device has room for them. */
    SPILLED
  }

  /** What is left to the system, to other processes, and to the driver. */
  private static final double SHARE_OF_AVAILABLE = 0.9;

  /** One line for people: which layers, what they take, and of how much; KV for these tokens. */
  public String describe(int kvTokens) {
    return "%s%s of %s available"
        .formatted(where(), memory.arithmetic(kvTokens), MemoryPlan.size(availableBytes));
  }

  /** Nothing where all is on the processor, and should be. */
  private String where() {
    if (layers == ofLayers) {
      return switch (kind) {
        case HOST -> "";
        case DEVICE -> "%s: all %d layers: ".formatted(device, layers);
        case SPILLED -> device + ", as no GPU has room for a layer: ";
      };
    }
    return "%s: layers %d to %d of %d%s: "
        .formatted(
            device,
            firstLayer,
            firstLayer + layers - 1,
            ofLayers,
            kind == Kind.SPILLED ? ", for which no GPU has room" : "");
  }

  /** Whether a tenth of the device stays free. */
  public boolean fits() {
    return fits(memory.totalBytes(), availableBytes);
  }

  /** Whether {@code bytes} leave a tenth of {@code available} free. */
  public static boolean fits(long bytes, long available) {
    return bytes <= usable(available);
  }

  /** What of {@code available} bytes is to be used. */
  public static double usable(long available) {
    return SHARE_OF_AVAILABLE * available;
  }
}
