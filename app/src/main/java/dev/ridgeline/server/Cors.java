package dev.ridgeline.server;

import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import java.util.Optional;

/** Lets pages of other origins call the server, if they are listed. */
record Cors(List<String> origins) {
  void register(HttpRouting.Builder routing) {
    if (origins.isEmpty()) {
      return;
    }
    routing.addFilter(
        (chain, request, response) -> {
          allowed(request.headers().first(HeaderNames.ORIGIN))
              .ifPresent(
                  origin -> {
                    response.header(HeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                    response.header(HeaderNames.ACCESS_CONTROL_EXPOSE_HEADERS, "X-Request-Id");
                    if (!origin.equals("*")) {
                      response.header(HeaderNames.VARY, "Origin");
                    }
                  });
          chain.proceed();
        });
    routing.route(Method.OPTIONS, "/*", Cors::preflight);
  }

  private Optional<String> allowed(Optional<String> origin) {
    return origins.contains("*") ? Optional.of("*") : origin.filter(origins::contains);
  }

  private static void preflight(ServerRequest request, ServerResponse response) {
    response
        .status(204)
        .header(HeaderNames.ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS")
        .header(
            HeaderNames.ACCESS_CONTROL_ALLOW_HEADERS,
            request
                .headers()
                .first(HeaderNames.ACCESS_CONTROL_REQUEST_HEADERS)
                .orElse("Authorization, Content-Type, X-Api-Key, X-Request-Id"))
        .header(HeaderNames.ACCESS_CONTROL_MAX_AGE, "600")
        .send();
  }
}
