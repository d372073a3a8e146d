package dev.ridgeline.backend;

/**
 * A device was lost or does not answer: nothing that was compiled for it will run again. The
 * message is one line for people and names the device.
 */
public final class DeviceFailedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What happened to which device, and what to do. */
  public DeviceFailedException(String message) {
    super(message);
  }
}
