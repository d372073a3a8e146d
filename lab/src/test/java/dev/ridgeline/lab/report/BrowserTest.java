package dev.ridgeline.lab.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.options.ColorScheme;
import dev.ridgeline.lab.TinyStudy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The page in a real browser. */
class BrowserTest {
  private static final Path CHROMIUM = Path.of("/usr/bin/chromium");

  @TempDir private static Path temporary = Path.of("");

  private static final List<AutoCloseable> OPEN = new ArrayList<>();
  private static final List<String> PROBLEMS = new ArrayList<>();

  @BeforeAll
  static void start() throws IOException {
    Assumptions.assumeTrue(
        Files.isExecutable(CHROMIUM), "needs a browser: " + CHROMIUM + " is not there");
    TinyStudy.run(temporary);
    ReportFolder.write(temporary.resolve("study"));
    Path records = temporary.resolve("study").resolve("records.jsonl");
    Path interrupted = Files.createDirectory(temporary.resolve("interrupted"));
    List<String> lines = Files.readAllLines(records);
    Files.write(interrupted.resolve("records.jsonl"), lines.subList(0, lines.size() - 2));
    ReportFolder.write(interrupted);
  }

  @AfterAll
  static void stop() throws Exception {
    for (AutoCloseable each : OPEN.reversed()) {
      each.close();
    }
  }

  private static Page open(int width, int height, ColorScheme scheme) {
    return open("study", width, height, scheme);
  }

  private static Page open(String folder, int width, int height, ColorScheme scheme) {
    if (OPEN.isEmpty()) {
      OPEN.add(
          Playwright.create(
              new Playwright.CreateOptions()
                  .setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"))));
      OPEN.add(
          ((Playwright) OPEN.getFirst())
              .chromium()
              .launch(
                  new BrowserType.LaunchOptions()
                      .setExecutablePath(CHROMIUM)
                      .setArgs(
                          List.of(
                              "--no-sandbox",
                              "--disable-gpu",
                              "--disable-background-networking",
                              "--disable-component-update",
                              "--disable-sync"))));
    }
    PROBLEMS.clear();
    Page page =
        ((Browser) OPEN.getLast())
            .newPage(
                new Browser.NewPageOptions().setViewportSize(width, height).setColorScheme(scheme));
    page.onPageError(PROBLEMS::add);
    page.onConsoleMessage(
        m -> {
          if (m.type().equals("error")) {
            PROBLEMS.add(m.text());
          }
        });
    page.onRequest(
        r -> {
          if (!r.url().startsWith("file:") && !r.url().startsWith("data:")) {
            PROBLEMS.add("request to " + r.url());
          }
        });
    page.navigate(temporary.resolve(folder).resolve("report.html").toUri().toString());
    return page;
  }

  @Test
  void aReaderCanSortChooseALengthOpenAVariantAndSwitchTheTheme() {
    try (Page page = open(1280, 900, ColorScheme.LIGHT)) {
      assertThat(page.locator("#variants tbody tr").count()).isEqualTo(3);
      assertThat(page.locator("#tree li").count()).isGreaterThan(2);
      for (String chart :
          List.of("speed-memory", "speed-quality", "latency", "efficiency", "roofline")) {
        assertThat(page.locator("#" + chart + " svg path").count()).as(chart).isPositive();
      }

      page.locator("#variants th", new Page.LocatorOptions().setHasText("Perplexity")).click();
      String best = page.locator("#variants tbody tr").last().getAttribute("data-variant");
      page.locator("#variants th", new Page.LocatorOptions().setHasText("Perplexity")).click();
      assertThat(page.locator("#variants tbody tr").first().getAttribute("data-variant"))
          .isEqualTo(best);

      page.locator("#variants tbody tr[data-variant=Q8_0]").click();
      assertThat(page.locator("#details").innerText()).contains("run/Q8_0/2/1", "quality/Q8_0");
      page.locator("#lengths button[data-length='3']").click();
      assertThat(page.locator("#details").innerText()).contains("run/Q8_0/3/2");

      Object light = page.evaluate("getComputedStyle(document.body).backgroundColor");
      page.locator("#theme").click();
      assertThat(page.evaluate("getComputedStyle(document.body).backgroundColor"))
          .isNotEqualTo(light);
      assertThat(PROBLEMS).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"1280, 900, LIGHT", "390, 844, DARK"})
  void thePageOfAnInterruptedStudySaysSoBeforeItsAnswer(int width, int height, ColorScheme scheme) {
    try (Page page = open("interrupted", width, height, scheme)) {
      var warning = page.locator("#not-whole");
      assertThat(warning.isVisible()).isTrue();
      assertThat(warning.innerText())
          .isEqualTo("Not whole: 2 cells have no result, see What is missing.");
      assertThat(warning.boundingBox().y).isLessThan(page.locator("#tree").boundingBox().y);
      assertThat(page.locator("#missing li").count()).isEqualTo(3);
      assertThat(page.evaluate("document.documentElement.scrollWidth")).isEqualTo(width);
      assertThat(PROBLEMS).isEmpty();
    }
    try (Page page = open(width, height, scheme)) {
      assertThat(page.locator("#not-whole").isVisible()).isFalse();
    }
  }

  @ParameterizedTest
  @CsvSource({"1280, 900, LIGHT", "1280, 900, DARK", "390, 844, LIGHT", "390, 844, DARK"})
  void nothingStandsOutOfThePageAtAnyWidth(int width, int height, ColorScheme scheme) {
    try (Page page = open(width, height, scheme)) {
      assertThat(page.evaluate("document.documentElement.scrollWidth")).isEqualTo(width);
      assertThat(page.evaluate("document.documentElement.dataset.theme"))
          .isEqualTo(scheme.name().toLowerCase(java.util.Locale.ROOT));
      assertThat(PROBLEMS).isEmpty();
    }
  }
}
