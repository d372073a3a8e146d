package dev.ridgeline.vulkan;

import dev.ridgeline.testing.OpCase;
import dev.ridgeline.testing.OpCases;
import dev.ridgeline.testing.OpParity;
import java.util.List;

/**
 * Runs the op cases whose names match the first argument, a regular expression, on the test's
 * device, outside a test framework: on other drivers ({@code dev/vulkan-matrix}) and on machines
 * that have only a runtime.
 */
final class CaseRunner {
  private CaseRunner() {}

  /** Prints what fails and a summary; exits with 1 if anything did. */
  public static void main(String[] args) {
    String filter = args.length > 0 ? args[0] : ".*";
    TestDevice device = TestDevice.open();
    var backend = new VulkanBackend(device.instance, device.index);
    List<OpCase> cases = OpCases.all().filter(c -> c.name().matches(filter)).toList();
    int failed = 0;
    int messages = 0;
    for (OpCase c : cases) {
      try {
        OpParity.check(c, backend);
      } catch (AssertionError | RuntimeException e) {
        failed++;
        System.out.println("FAILED " + c.name() + ": " + e);
      }
      List<String> said = device.instance.messages();
      for (; messages < said.size(); messages++) {
        failed++;
        System.out.println("MESSAGE at " + c.name() + ": " + said.get(messages));
      }
    }
    System.out.printf(
        "%s: %d op cases, %d failures%n", backend.description(), cases.size(), failed);
    backend.close();
    System.exit(failed == 0 ? 0 : 1);
  }
}
