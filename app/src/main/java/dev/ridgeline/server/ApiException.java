package dev.ridgeline.server;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/**
 * A request that gets an error for an answer. The message is for the client's developer: what,
 * expected, found.
 */
final class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What kind of error: its status and the {@code type} that OpenAI's API gives it. */
  enum Kind {
    INVALID(400, "invalid_request_error"),
    UNAUTHORIZED(401, "authentication_error"),
    NOT_FOUND(404, "not_found_error"),
    WRONG_METHOD(405, "invalid_request_error"),
    TOO_LARGE(413, "invalid_request_error"),
    WRONG_MEDIA_TYPE(415, "invalid_request_error"),
    TOO_MANY(429, "rate_limit_error"),
    INTERNAL(500, "server_error"),
    NOT_READY(503, "unavailable_error"),
    TIMEOUT(504, "timeout_error");

    private final int status;
    private final String type;

    Kind(int status, String type) {
      this.status = status;
      this.type = type;
    }

    int status() {
      return status;
    }

    String type() {
      return type;
    }
  }

  private final Kind kind;
  private final @Nullable String param;
  private final int retryAfterSeconds;

  private ApiException(Kind kind, @Nullable String param, String message, int retryAfterSeconds) {
    super(message);
    this.kind = kind;
    this.param = param;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** The field {@code param} has a value that cannot be used. */
  static ApiException invalid(@Nullable String param, String message) {
    return new ApiException(Kind.INVALID, param, message, 0);
  }

  static ApiException of(Kind kind, String message) {
    return new ApiException(kind, null, message, 0);
  }

  /** Come back later. */
  static ApiException later(Kind kind, String message, int retryAfterSeconds) {
    return new ApiException(kind, null, message, Math.max(1, retryAfterSeconds));
  }

  Kind kind() {
    return kind;
  }

  @Nullable String param() {
    return param;
  }

  /** For the header Retry-After; 0 = none. */
  int retryAfterSeconds() {
    return retryAfterSeconds;
  }

  String text() {
    return String.valueOf(getMessage());
  }

  /** The error as OpenAI's API writes it. */
  Body body() {
    return new Body(new Body.Detail(text(), kind.type(), param, code()));
  }

  private @Nullable String code() {
    return switch (kind) {
      case UNAUTHORIZED -> "invalid_api_key";
      case TOO_MANY -> "rate_limit_exceeded";
      case NOT_READY -> "service_unavailable";
      default -> null;
    };
  }

  /**
   * OpenAI's form.
   *
   * @param error what went wrong
   */
  record Body(Detail error) {
    /**
     * @param message for people
     * @param type OpenAI's name of the kind
     * @param param the field at fault, if one is
     * @param code a word for programs, for some errors
     */
    @JsonInclude
    record Detail(String message, String type, @Nullable String param, @Nullable String code) {}
  }
}
