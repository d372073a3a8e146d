package dev.ridgeline.server;

/** The client has closed the connection: nobody is there to be told anything. */
final class ClientGoneException extends RuntimeException {
  private static final long serialVersionUID = 1;

  ClientGoneException() {
    super("the client is gone", null, false, false);
  }
}
