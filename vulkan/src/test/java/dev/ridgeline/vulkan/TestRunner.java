package dev.ridgeline.vulkan;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * Runs this package's tests of the given names where there is no build tool: inside the root of
 * another driver ({@code dev/vulkan-matrix}).
 */
final class TestRunner {
  private TestRunner() {}

  /** Names each test before it runs: a driver that crashes takes the process with it. */
  private static final class Names implements TestExecutionListener {
    @Override
    public void executionStarted(TestIdentifier test) {
      if (test.isTest()) {
        System.out.println("  " + test.getDisplayName());
      }
    }
  }

  /** Prints what fails and a summary; exits with 1 if anything did, or if nothing ran. */
  public static void main(String[] args) {
    var request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(
                Arrays.stream(args)
                    .map(name -> selectClass("dev.ridgeline.vulkan." + name))
                    .toList())
            .build();
    var listener = new SummaryGeneratingListener();
    LauncherFactory.create().execute(request, listener, new Names());
    TestExecutionSummary summary = listener.getSummary();
    summary.printFailuresTo(new PrintWriter(System.out, true, StandardCharsets.UTF_8), 5);
    System.out.printf(
        "%s: %d tests, %d failed, %d skipped, %d s%n",
        String.join(" ", args),
        summary.getTestsStartedCount(),
        summary.getTotalFailureCount(),
        summary.getTestsAbortedCount(),
        (summary.getTimeFinished() - summary.getTimeStarted()) / 1000);
    boolean good = summary.getTotalFailureCount() == 0 && summary.getTestsSucceededCount() > 0;
    System.exit(good ? 0 : 1);
  }
}
