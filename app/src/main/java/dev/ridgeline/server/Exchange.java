package dev.ridgeline.server;

import dev.ridgeline.server.ApiException.Kind;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.OptionalLong;

/** A request on its way through the server, and what answers it. */
final class Exchange {
  static final String JSON = "application/json";

  private final Core core;
  private final ServerRequest request;
  private final ServerResponse response;
  private final String client;
  private final RequestLine line;

  Exchange(
      Core core, ServerRequest request, ServerResponse response, String client, RequestLine line) {
    this.core = core;
    this.request = request;
    this.response = response;
    this.client = client;
    this.line = line;
  }

  Core core() {
    return core;
  }

  /** Who asks: the name of the API key, or the address. */
  String client() {
    return client.isEmpty() ? request.remotePeer().host() : client;
  }

  RequestLine line() {
    return line;
  }

  ServerRequest request() {
    return request;
  }

  ServerResponse response() {
    return response;
  }

  /**
   * The JSON object in the body.
   *
   * @throws ApiException 413 if it is too long, 415 if it is declared as something else, 400 if it
   *     is none
   */
  Fields body() {
    int most = core.settings.limits().bodyBytes();
    OptionalLong declared = request.headers().contentLength();
    if (declared.isPresent() && declared.getAsLong() > most) {
      throw tooLarge(most);
    }
    request
        .headers()
        .contentType()
        .ifPresent(
            type -> {
              if (!type.subtype().endsWith("json")) {
                throw ApiException.of(
                    Kind.WRONG_MEDIA_TYPE,
                    "Content-Type: expected application/json, found " + type.text());
              }
            });
    byte[] bytes;
    if (!request.content().hasEntity()) {
      bytes = new byte[0];
    } else {
      try (InputStream in = request.content().inputStream()) {
        bytes = in.readNBytes(most + 1);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    if (bytes.length > most) {
      throw tooLarge(most);
    }
    var fields = new Fields(Json.object(bytes));
    if (core.settings.operations().logPrompts()) {
      core.log.info("body", java.util.Map.of("id", line.id(), "body", Json.text(fields.object())));
    }
    return fields;
  }

  private static ApiException tooLarge(int most) {
    return ApiException.of(
        Kind.TOO_LARGE, "the body: expected at most %d bytes, found more".formatted(most));
  }

  /** Answers with JSON. */
  void send(Object value) {
    send(200, JSON, Json.bytes(value));
  }

  void send(int status, String type, byte[] body) {
    response
        .status(status)
        .header(HeaderNames.CONTENT_TYPE, type)
        .header(HeaderNames.CACHE_CONTROL, "no-store")
        .send(body);
  }

  /** Answers with events. */
  Sse events() {
    return new Sse(response);
  }
}
