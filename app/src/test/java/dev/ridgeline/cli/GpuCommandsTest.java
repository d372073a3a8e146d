package dev.ridgeline.cli;

import static dev.ridgeline.cli.Outcome.ridgeline;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ridgeline.backend.BackendProvider;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.model.FileType;
import dev.ridgeline.model.synth.Synth;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** What a user of a GPU sees, on a software device that counts as one. */
class GpuCommandsTest {
  private static final String SOFTWARE = "ridgeline.vulkan.software";
  private static final String FAULT = "ridgeline.vulkan.fault";

  @TempDir private static Path folder = Path.of("");

  private static String model = "";

  @BeforeAll
  static void aDriver() throws IOException {
    System.setProperty(SOFTWARE, "true");
    BackendProvider vulkan =
        Backends.providers().stream()
            .filter(p -> p.name().equals("vulkan"))
            .findFirst()
            .orElseThrow();
    assumeTrue(
        vulkan.unavailable().isEmpty(),
        "needs a Vulkan driver: " + vulkan.unavailable().orElse(""));
    Path path = folder.resolve("tiny.gguf");
    new Synth("tiny-llama", FileType.F16).write(path, 1);
    model = path.toString();
  }

  @AfterEach
  void heal() {
    System.clearProperty(FAULT);
  }

  @AfterAll
  static void noDriver() {
    System.clearProperty(SOFTWARE);
  }

  private static Outcome run(String... more) {
    String[] args = {
      "run",
      "-m",
      model,
      "--tokens",
      "1,2,3,4,5",
      "-n",
      "6",
      "--greedy",
      "--ignore-eos",
      "--format",
      "json"
    };
    var all = new java.util.ArrayList<>(java.util.List.of(args));
    all.addAll(java.util.List.of(more));
    return ridgeline(all.toArray(String[]::new));
  }

  @Test
  void autoTakesAGpuThatHasRoomAndSaysWhatItTakesThere() {
    Outcome run = run();

    assertThat(run.json().get("ids").size()).isEqualTo(6);
    assertThat(run.memory().lines()).hasSize(1);
    assertThat(run.memory())
        .startsWith("memory: vulkan 0, ")
        .contains(": all 3 layers: weights ")
        .contains(" available; context ");
  }

  @Test
  void layersGoWhereTheOptionsSayWithTheSameText() {
    JsonNode whole = run().json().get("ids");
    Outcome split = run("--gpu-layers", "1");
    assertThat(split.json().get("ids")).isEqualTo(whole);
    assertThat(split.memory())
        .startsWith("memory: cpu: layers 0 to 1 of 3: weights ")
        .contains("; vulkan 0, ")
        .contains(": layers 2 to 2 of 3: weights ");

    Outcome twice = run("--device", "0,0");
    assertThat(twice.json().get("ids")).isEqualTo(whole);
    assertThat(twice.memory().split("vulkan 0, ")).hasSize(3);

    assertThat(run("--gpu-layers", "0").json().get("ids")).isEqualTo(whole);
    assertThat(run("--gpu-layers", "auto").json().get("ids")).isEqualTo(whole);
  }

  @Test
  void impossibleDevicesAndLayersAreRefusedInOneLine() {
    for (String[] wrong :
        new String[][] {
          {"--device", "7"}, {"--device", "x"}, {"--gpu-layers", "-1"}, {"--gpu-layers", "all"}
        }) {
      Outcome run = run(wrong);
      assertThat(run.status()).as(run.err()).isEqualTo(2);
      assertThat(run.err().lines()).hasSize(1);
      assertThat(run.err()).containsAnyOf(wrong[0], wrong[0].substring(2));
    }
    Outcome none = run("--backend", "cpu", "--gpu-layers", "1");
    assertThat(none.status()).isEqualTo(2);
    assertThat(none.err()).contains("backend 'cpu' has none");
  }

  @Test
  void aDeviceThatIsLostOrFullEndsTheCommandWithOneLine() {
    System.setProperty(FAULT, "await:6:lost");
    Outcome lost = run("--ctx", "64");
    assertThat(lost.status()).isEqualTo(1);
    assertThat(lost.err()).contains("ridgeline: vulkan 0, ").contains("the device was lost");

    System.setProperty(FAULT, "allocate:9:memory");
    Outcome full = run();
    assertThat(full.status()).isEqualTo(1);
    assertThat(full.err()).contains("out of memory; planned: weights ").contains("smaller context");
  }

  @Test
  void doctorShowsDevicesRatesAndKernels() {
    JsonNode json = ridgeline("doctor", "--format", "json").json();
    JsonNode device = null;
    double limit = 0;
    for (JsonNode backend : json.get("backends")) {
      if (backend.get("name").asString().equals("vulkan")) {
        device = backend.get("devices").get(0);
        limit = backend.get("measured").get("read_gigabytes_per_second").asDouble();
      }
    }
    Objects.requireNonNull(device, "no device of backend vulkan");
    assertThat(device.get("missing").size()).isZero();
    assertThat(device.get("heaps").get(0).get("budget_bytes").asLong()).isPositive();
    assertThat(device.get("subgroup_sizes").size()).isEqualTo(3);
    for (String rate :
        new String[] {
          "read_gigabytes_per_second", "float32_gigaflops_per_second", "int8_dot_gigaops_per_second"
        }) {
      assertThat(device.get("rates").get(rate).asDouble()).as(rate).isPositive();
    }
    // Measured once: the backend's limit is that of its device, but for two roundings of its unit.
    assertThat(device.get("rates").get("read_gigabytes_per_second").asDouble())
        .isCloseTo(limit, within(2 * Math.ulp(limit)));
    assertThat(device.get("kernels").get(0).get("kernel").asString()).isEqualTo("mul_mat_vec_q");
    assertThat(device.get("kernels").get(0).get("why").asString()).contains("int8");
  }

  @Test
  void benchProfilesAStepAsATableThatAddsUpAndAsATrace() throws IOException {
    Path trace = folder.resolve("trace.json");
    Outcome bench =
        ridgeline(
            "bench",
            model,
            "-p",
            "8",
            "-n",
            "2",
            "-r",
            "1",
            "--warmup",
            "0",
            "--no-history",
            "--backend",
            "vulkan",
            "--profile",
            trace.toString(),
            "--format",
            "json");

    assertThat(bench.status()).as(bench.err()).isZero();
    assertThat(bench.err())
        .contains("a step of 8 at 0")
        .contains("starting, waiting")
        .contains("us in all");
    double shares =
        bench
            .err()
            .lines()
            .dropWhile(line -> !line.contains("a step of 8 at 0"))
            .skip(2)
            .takeWhile(line -> !line.contains("us in all"))
            .map(line -> line.strip().split("\\s{2,}"))
            .filter(cells -> cells.length > 3 && cells[3].matches("-?[0-9.]+"))
            .mapToDouble(cells -> Double.parseDouble(cells[3]))
            .sum();
    assertThat(shares).as("%% of the step's wall time").isBetween(98.0, 102.0);
    JsonNode events = Json.MAPPER.readTree(Files.readString(trace)).get("traceEvents");
    assertThat(events.size()).isGreaterThan(10);
    assertThat(events.get(1).get("ph").asString()).isEqualTo("X");
    assertThat(events.get(1).get("dur").asDouble()).isPositive();
  }
}
