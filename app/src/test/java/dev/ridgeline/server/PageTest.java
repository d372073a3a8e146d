package dev.ridgeline.server;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The page in a real browser: Debian's Chromium, without a window. */
@Timeout(180)
class PageTest {
  private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
  private static final Path PICTURES = Path.of("target/screenshots");

  private static TestServer server;
  private static Playwright playwright;
  private static Browser browser;
  private BrowserContext context;
  private Page page;
  private final List<String> foreign = new ArrayList<>();
  private final List<String> complaints = new ArrayList<>();

  @BeforeAll
  static void start() {
    Assumptions.assumeTrue(Files.exists(CHROMIUM), "needs /usr/bin/chromium");
    server = TestServer.start();
    playwright =
        Playwright.create(
            new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
    browser =
        playwright
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
                            "--disable-sync")));
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      browser.close();
      playwright.close();
      server.close();
    }
  }

  @BeforeEach
  void open() {
    context = browser.newContext(new Browser.NewContextOptions().setViewportSize(1000, 760));
    page = context.newPage();
    page.onRequest(
        r -> {
          if (!r.url().startsWith(server.server.url()) && !r.url().startsWith("data:")) {
            foreign.add(r.url());
          }
        });
    page.onConsoleMessage(
        m -> {
          if (m.type().equals("error")) {
            complaints.add(m.text());
          }
        });
    page.onPageError(complaints::add);
    page.navigate(server.server.url() + "/");
  }

  @AfterEach
  void nothingFromElsewhere() {
    assertThat(foreign).isEmpty();
    assertThat(complaints).isEmpty();
    context.close();
  }

  private void picture(String name) {
    page.screenshot(
        new Page.ScreenshotOptions().setPath(PICTURES.resolve(name + ".png")).setFullPage(true));
  }

  private Locator button(String name) {
    return page.getByRole(
        AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
  }

  private void limit(int tokens) {
    button("Settings").click();
    page.getByLabel("Most tokens").fill(String.valueOf(tokens));
    page.getByLabel("Seed").fill("7");
    button("Settings").click();
  }

  private void say(String text) {
    page.getByLabel("Message", new Page.GetByLabelOptions().setExact(true)).fill(text);
    page.keyboard().press("Enter");
  }

  private Locator message(int index) {
    return page.locator("#messages > li").nth(index);
  }

  private void awaitAnswer() {
    assertThat(page.locator("#send")).isVisible();
  }

  @Test
  void aConversationIsWrittenStoppedEditedAndAnsweredAgain() {
    assertThat(page.locator("#model")).hasText("target");
    limit(12);
    say("Once upon a time");
    assertThat(message(0)).containsText("Once upon a time");
    awaitAnswer();
    assertThat(message(1).locator(".text")).not().isEmpty();
    String first = message(1).locator(".text").textContent();
    assertThat(page.locator("#speed")).containsText("12 tokens");
    assertThat(page.locator("#live")).containsText("Answer:");

    button("Answer again").click();
    awaitAnswer();
    assertThat(message(1).locator(".text")).hasText(first);

    button("Edit this message").click();
    assertThat(page.locator("#messages > li")).hasCount(0);
    assertThat(page.locator("#input")).hasValue("Once upon a time");
    say("The king said");
    awaitAnswer();
    assertThat(message(0)).containsText("The king said");

    limit(400);
    say("Go on");
    assertThat(button("Stop")).isFocused();
    assertThat(message(3).locator(".text")).containsText(Pattern.compile("\\w"));
    button("Stop").click();
    assertThat(message(3)).containsText("(stopped)");
    assertThat(page.locator("#input")).isFocused();
    picture("chat-light");
    button("New chat").click();
    assertThat(page.locator("#messages > li")).hasCount(0);
  }

  @Test
  void theSettingsAreSentAndKept() {
    button("Settings").click();
    page.getByLabel("Temperature").fill("0");
    page.getByLabel("Most tokens").fill("5");
    page.getByLabel("System message").fill("A tale of the sea.");
    picture("settings");
    button("Settings").click();
    var sent = page.waitForRequest("**/v1/chat/completions", () -> say("Once")).postData();
    assertThat(sent)
        .contains("\"temperature\":0")
        .contains("\"max_tokens\":5")
        .contains("A tale of the sea.")
        .doesNotContain("\"seed\"");
    awaitAnswer();
    page.reload();
    assertThat(page.locator("#temperature")).hasValue("0");
    assertThat(page.locator("#messages > li")).hasCount(0);
  }

  @Test
  void anErrorOfTheServerIsToldInTheConversation() {
    say("a b c ".repeat(600));
    assertThat(message(1)).containsText("the context is 512");
    assertThat(page.locator("#live")).containsText("Error");
    // a refused request is an error in the console, too
    complaints.removeIf(c -> c.contains("400"));
  }

  @Test
  void lightAndDarkFollowTheSystemUntilChosen() {
    String light =
        (String) page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(ColorScheme.DARK));
    String dark =
        (String) page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    assertThat(dark).isNotEqualTo(light);
    page.getByLabel("Switch between light and dark").click();
    assertThat(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
        .isEqualTo(light);
    page.reload();
    assertThat(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
        .isEqualTo(light);
  }

  @Test
  void theEngineViewShowsWhatIsGoingOn() throws InterruptedException {
    var seen = new AtomicBoolean();
    Thread request =
        Thread.startVirtualThread(
            () -> {
              while (!seen.get()) {
                server.post(
                    "/v1/completions",
                    "{'prompt':'Once upon a time','max_tokens':300,'ignore_eos':true,'n':4}");
              }
            });
    page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(ColorScheme.DARK));
    button("Engine").click();
    assertThat(page.locator("#running")).hasText("4");
    assertThat(page.locator("#rate")).hasText(Pattern.compile("[1-9]\\d*"));
    assertThat(page.locator("#in-use")).hasText(Pattern.compile("[1-9]\\d*"));
    assertThat(page.locator("#inter_token_millis td").first()).hasText(Pattern.compile("\\d.*"));
    page.waitForTimeout(3000);
    picture("engine-dark");
    seen.set(true);
    request.join();
    button("Chat").click();
    assertThat(page.locator("#input")).isVisible();
  }

  @Test
  void everythingCanBeReachedByKeyboardAndHasAName() {
    for (Locator control : page.locator("button:visible, input:visible, textarea:visible").all()) {
      String name =
          (String)
              control.evaluate(
                  "e => e.getAttribute('aria-label') || (e.labels?.[0]?.textContent ?? '') ||"
                      + " e.textContent");
      assertThat(name.strip()).as(control.toString()).isNotEmpty();
    }
    page.locator("body").press("Tab");
    var seen = new ArrayList<String>();
    for (int i = 0; i < 12; i++) {
      seen.add(
          (String) page.evaluate("document.activeElement.id || document.activeElement.className"));
      page.keyboard().press("Tab");
    }
    assertThat(seen).contains("send", "clear");
    page.locator("#input").focus();
    page.keyboard().press("Shift+Tab");
    assertThat((String) page.evaluate("document.activeElement.id")).isEqualTo("theme");
    assertThat((String) page.evaluate("document.documentElement.lang")).isEqualTo("en");
  }

  /** What axe-core finds wrong with what is to be seen now; a line for each. */
  private List<?> violations() throws IOException {
    try (InputStream axe = PageTest.class.getResourceAsStream("/axe.min.js")) {
      page.evaluate(new String(Objects.requireNonNull(axe).readAllBytes(), StandardCharsets.UTF_8));
    }
    return (List<?>)
        page.evaluate(
            "async () => (await axe.run()).violations.map(v => v.id + ': ' + v.help + ' ' +"
                + " v.nodes.map(n => n.target + ' ' + n.failureSummary).join('; '))");
  }

  @ParameterizedTest
  @EnumSource(
      value = ColorScheme.class,
      names = {"LIGHT", "DARK"})
  void axeFindsNothingWrong(ColorScheme scheme) throws IOException {
    page.emulateMedia(new Page.EmulateMediaOptions().setColorScheme(scheme));
    limit(30);
    say("Once upon a time");
    awaitAnswer();
    assertThat(violations()).isEmpty();
    button("Settings").click();
    assertThat(violations()).isEmpty();
    button("Settings").click();
    button("Engine").click();
    page.waitForTimeout(1200);
    assertThat(violations()).isEmpty();
  }

  @Test
  void aPhoneShowsAllOfItWithoutScrollingSideways() {
    page.setViewportSize(360, 700);
    limit(30);
    say("Once upon a time there was a very long word: " + "x".repeat(120));
    awaitAnswer();
    picture("phone");
    assertThat((int) page.evaluate("document.documentElement.scrollWidth"))
        .isLessThanOrEqualTo(360);
    button("Engine").click();
    page.waitForTimeout(1200);
    picture("phone-engine");
    assertThat((int) page.evaluate("document.documentElement.scrollWidth"))
        .isLessThanOrEqualTo(360);
  }

  @Test
  void markdownBecomesElementsAndNeverMarkup() {
    String markdown =
        """
        # Title

        Some **bold**, *soft* and `code <b>`.

        - one
        - two
          1. inner

        > quoted

        ```java
        int x = 1; // <script>
        ```

        | a | b |
        |---|---|
        | 1 | 2 |

        <img src=x onerror=alert(1)> [safe](https://example.org/) [bad](javascript:alert(1))\
        """;
    String html =
        (String)
            page.evaluate(
                "text => { const d = document.createElement('div');"
                    + " d.append(Markdown.render(text)); return d.innerHTML; }",
                markdown);
    assertThat(html)
        .contains(
            "<h3>Title</h3>",
            "<strong>bold</strong>",
            "<em>soft</em>",
            "<code>code &lt;b&gt;</code>",
            "<ul><li>one</li><li>two<ol",
            "<blockquote><p>quoted</p></blockquote>",
            "int x = 1; // &lt;script&gt;",
            "<th>a</th>",
            "<td>2</td>",
            "&lt;img src=x onerror=alert(1)&gt;",
            "href=\"https://example.org/\"")
        .doesNotContain("<img", "<script", "href=\"javascript");
    page.evaluate(
        "text => { messages.push({role:'assistant', content: text, thought: 'Let me think.'});"
            + " show(messages[0], 0); }",
        markdown.replace("# Title", "# A title\n\nA paragraph of text."));
    picture("markdown");
  }
}
