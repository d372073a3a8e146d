package dev.ridgeline.server;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Server-sent events. What is added goes out with the next {@link #flush}, in one packet. */
final class Sse implements AutoCloseable {
  private static final byte[] DATA = "data: ".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] END = "\n\n".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] DONE = "data: [DONE]\n\n".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] KEEP_ALIVE = ": waiting\n\n".getBytes(StandardCharsets.US_ASCII);

  private final OutputStream out;
  private final ByteArrayOutputStream held = new ByteArrayOutputStream();

  Sse(ServerResponse response) {
    response
        .status(200)
        .header(HeaderNames.CONTENT_TYPE, "text/event-stream; charset=utf-8")
        .header(HeaderNames.CACHE_CONTROL, "no-store")
        .header("X-Accel-Buffering", "no");
    out = response.outputStream();
  }

  void add(Object value) {
    add(null, value);
  }

  /** An event with a name, as Anthropic's API and OpenAI's responses have them. */
  void add(@Nullable String event, Object value) {
    if (event != null) {
      held.writeBytes(("event: " + event + "\n").getBytes(StandardCharsets.UTF_8));
    }
    held.writeBytes(DATA);
    held.writeBytes(Json.bytes(value));
    held.writeBytes(END);
  }

  /** The end, as OpenAI's older APIs have it. */
  void done() {
    held.writeBytes(DONE);
    flush();
  }

  /** A comment, so that proxies see that somebody is there. */
  void keepAlive() {
    held.writeBytes(KEEP_ALIVE);
    flush();
  }

  /**
   * Sends what was added.
   *
   * @throws UncheckedIOException if the client is gone, or did not read for too long
   */
  void flush() {
    if (held.size() == 0) {
      return;
    }
    try {
      out.write(held.toByteArray());
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      held.reset();
    }
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
