package dev.ridgeline.server;

import dev.ridgeline.sampler.InvalidParameterException;
import dev.ridgeline.scheduler.GenerationException;
import dev.ridgeline.server.ApiException.Kind;
import dev.ridgeline.tokenizer.template.TemplateException;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * What every route has around it: a request id, the API key, errors in the form of the API that was
 * asked, a line in the log, figures and a span.
 */
final class Routes {
  /** What nginx calls a client that closed the connection. */
  private static final int CLIENT_GONE = 499;

  private static final Pattern REQUEST_ID = Pattern.compile("[A-Za-z0-9._-]{1,128}");

  private final Core core;
  private final ApiKeys keys;

  /** Answers a request. */
  interface Endpoint {
    void handle(Exchange exchange);
  }

  Routes(Core core, ApiKeys keys) {
    this.core = core;
    this.keys = keys;
  }

  /** All routes. */
  HttpRouting.Builder routing() {
    var routing = HttpRouting.builder();
    routing.addFilter(
        (chain, request, response) -> {
          try {
            chain.proceed();
          } finally {
            // Helidon says that it will close the connection, and leaves it to the client. Not
            // before the body was read: it may come after the headers.
            if (request.headers().containsToken(HeaderValues.CONNECTION_CLOSE)) {
              WatchedConnections.current().end();
            }
          }
        });
    new Cors(core.settings.listen().origins()).register(routing);
    var health = new Health(core);
    routing.get("/livez", health::live);
    routing.get("/readyz", health::ready);
    routing.get("/startupz", health::started);
    routing.get("/health", health::ready);
    new Page().register(routing);
    get(routing, "/metrics", Health::metrics);
    get(routing, "/engine", LiveEndpoint::handle);
    get(routing, "/v1/models", ModelsEndpoint::list);
    get(routing, "/v1/models/{+name}", ModelsEndpoint::one);
    post(routing, "/v1/completions", CompletionsEndpoint::handle);
    post(routing, "/v1/chat/completions", ChatEndpoint::handle);
    post(routing, "/v1/embeddings", EmbeddingsEndpoint::handle);
    post(routing, "/v1/responses", ResponsesEndpoint::handle);
    route(routing, Method.POST, "/v1/messages", MessagesEndpoint::handle, MessagesEndpoint::error);
    route(
        routing,
        Method.POST,
        "/v1/messages/count_tokens",
        MessagesEndpoint::count,
        MessagesEndpoint::error);
    post(routing, "/tokenize", TextEndpoints::tokenize);
    post(routing, "/detokenize", TextEndpoints::detokenize);
    post(routing, "/apply-template", TextEndpoints::applyTemplate);
    routing.any(
        (request, response) ->
            run(
                request.path().path(),
                request,
                response,
                ApiException::body,
                _ -> {
                  throw ApiException.of(
                      Kind.NOT_FOUND,
                      "%s %s: there is no such route"
                          .formatted(request.prologue().method().text(), request.path().path()));
                },
                false));
    return routing;
  }

  private void get(HttpRouting.Builder routing, String path, Endpoint endpoint) {
    route(routing, Method.GET, path, endpoint, ApiException::body);
  }

  private void post(HttpRouting.Builder routing, String path, Endpoint endpoint) {
    route(routing, Method.POST, path, endpoint, ApiException::body);
  }

  private void route(
      HttpRouting.Builder routing,
      Method method,
      String path,
      Endpoint endpoint,
      Function<ApiException, Object> errors) {
    routing.route(
        method, path, (request, response) -> run(path, request, response, errors, endpoint, true));
    routing.any(
        path,
        (request, response) -> {
          response.header(HeaderNames.ALLOW, method.text());
          run(
              path,
              request,
              response,
              errors,
              _ -> {
                throw ApiException.of(
                    Kind.WRONG_METHOD,
                    "%s %s: expected %s"
                        .formatted(request.prologue().method().text(), path, method.text()));
              },
              false);
        });
  }

  private void run(
      String route,
      ServerRequest request,
      ServerResponse response,
      Function<ApiException, Object> errors,
      Endpoint endpoint,
      boolean known) {
    String id =
        request
            .headers()
            .first(HeaderNames.create("X-Request-Id"))
            .filter(given -> REQUEST_ID.matcher(given).matches())
            .orElseGet(() -> UUID.randomUUID().toString().replace("-", ""));
    response.header("X-Request-Id", id);
    var line = new RequestLine(id);
    String client = "";
    int status = 200;
    core.busy.incrementAndGet();
    try {
      client =
          keys.check(
              request.headers().first(HeaderNames.AUTHORIZATION),
              request.headers().first(HeaderNames.create("X-Api-Key")));
      var exchange = new Exchange(core, request, response, client, line);
      endpoint.handle(exchange);
    } catch (ClientGoneException | ServerConnectionException | UncheckedIOException e) {
      status = CLIENT_GONE;
      WatchedConnections.current().close();
      throw new CloseConnectionException("the client is gone", e); // Helidon has nobody to answer
    } catch (RuntimeException e) {
      ApiException error = asApi(e, id);
      status = error.kind().status();
      if (!response.isSent()) {
        send(response, error, errors);
      }
    } finally {
      core.busy.decrementAndGet();
      String label = known ? route : "other";
      core.metrics.answered(label, status);
      core.tracing.record(request.headers(), label, status, line);
      if (!route.equals("/metrics") && !route.equals("/engine")) {
        String method = request.prologue().method().text();
        core.log.info("request", line.fields(method, request.path().path(), status, client));
      }
    }
  }

  private static void send(
      ServerResponse response, ApiException error, Function<ApiException, Object> errors) {
    if (error.retryAfterSeconds() > 0) {
      response.header(HeaderNames.RETRY_AFTER, String.valueOf(error.retryAfterSeconds()));
    }
    if (error.kind() == Kind.UNAUTHORIZED) {
      response.header(HeaderNames.WWW_AUTHENTICATE, "Bearer");
    }
    response
        .status(error.kind().status())
        .header(HeaderNames.CONTENT_TYPE, Exchange.JSON)
        .send(Json.bytes(errors.apply(error)));
  }

  private ApiException asApi(RuntimeException e, String id) {
    return switch (e) {
      case ApiException api -> api;
      case InvalidParameterException invalid -> {
        String field = snake(invalid.field());
        yield ApiException.invalid(
            field,
            field + String.valueOf(invalid.getMessage()).substring(invalid.field().length()));
      }
      case TemplateException template ->
          ApiException.invalid("messages", "the chat template refused: " + template.getMessage());
      default -> {
        core.log.warn("failure", Map.of("id", id, "what", e.toString(), "where", where(e)));
        yield ApiException.of(
            Kind.INTERNAL,
            e instanceof GenerationException
                ? String.valueOf(e.getMessage())
                : "internal error; the server's log has more under the id " + id);
      }
    };
  }

  private static String where(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    StackTraceElement[] trace = cause.getStackTrace();
    return trace.length == 0 ? "" : cause + " at " + trace[0];
  }

  /** {@code topLogprobs} as the protocol spells it. */
  private static String snake(String name) {
    return name.replaceAll("([a-z])([A-Z])", "$1_$2").toLowerCase(java.util.Locale.ROOT);
  }
}
