package dev.ridgeline.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ridgeline.backend.BackendProvider;
import dev.ridgeline.backend.Backends;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A server whose device is lost says so to whoever waits, and is not ready from then on. */
class DeviceLossTest {
  private static final String FAULT = "ridgeline.vulkan.fault";

  /** More than the server takes to make itself warm. */
  private static final int STEPS = 300;

  @AfterEach
  void heal() {
    System.clearProperty(FAULT);
  }

  @Test
  void aLostDeviceFailsTheRequestUnderWayAndMakesTheServerNotReady() {
    BackendProvider vulkan =
        Backends.providers().stream()
            .filter(p -> p.name().equals("vulkan"))
            .findFirst()
            .orElseThrow();
    assumeTrue(
        vulkan.unavailable().isEmpty(),
        "needs a Vulkan driver: " + vulkan.unavailable().orElse(""));
    System.setProperty(FAULT, "await:" + STEPS + ":lost");
    try (TestServer server =
        TestServer.start(
            TestServer.settings(),
            o -> o.backend("vulkan").context(256).parallel(2).batchTokens(16))) {
      String body = "{\"prompt\": \"Once\", \"max_tokens\": 100, \"ignore_eos\": true}";
      TestServer.Answer lost = server.post("/v1/completions", body);
      for (int steps = 100; steps < STEPS && lost.status() == 200; steps += 100) {
        lost = server.post("/v1/completions", body);
      }
      assertThat(lost.status()).as(lost.text()).isGreaterThanOrEqualTo(500);
      assertThat(lost.text()).contains("the device was lost");

      TestServer.Answer later = server.post("/v1/completions", body);
      assertThat(later.status()).isEqualTo(503);
      assertThat(later.text()).contains("the device was lost");
      assertThat(server.get("/readyz").status()).isEqualTo(503);
      assertThat(server.get("/livez").status()).isEqualTo(503);
    }
  }
}
