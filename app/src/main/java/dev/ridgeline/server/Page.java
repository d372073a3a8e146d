package dev.ridgeline.server;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;

/** The web page: files out of the jar, the same for everybody and without a key. */
final class Page {
  private static final Map<String, String> TYPES =
      Map.of(
          "index.html", "text/html; charset=utf-8",
          "page.css", "text/css; charset=utf-8",
          "markdown.js", "text/javascript; charset=utf-8",
          "page.js", "text/javascript; charset=utf-8");

  void register(HttpRouting.Builder routing) {
    TYPES.forEach(
        (file, type) -> {
          byte[] bytes = read(file);
          routing.get(
              file.equals("index.html") ? "/" : "/" + file, (_, res) -> send(res, type, bytes));
        });
  }

  private static void send(ServerResponse response, String type, byte[] bytes) {
    response
        .header(HeaderNames.CONTENT_TYPE, type)
        .header(HeaderNames.CACHE_CONTROL, "no-cache")
        .header(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
                + " img-src 'self' data:; base-uri 'none'; form-action 'none'")
        .header("X-Content-Type-Options", "nosniff")
        .header("Referrer-Policy", "no-referrer")
        .send(bytes);
  }

  private static byte[] read(String file) {
    try (InputStream in = Page.class.getResourceAsStream("page/" + file)) {
      return in == null ? new byte[0] : in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
