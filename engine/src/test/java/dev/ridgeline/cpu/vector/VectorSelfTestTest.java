package dev.ridgeline.cpu.vector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.backend.Degradation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class VectorSelfTestTest {
  /** Prints what the self-test finds in a JVM with other flags. */
  static final class Program {
    private Program() {}

    public static void main(String[] args) {
      String without = VectorSelfTest.hasC2() ? "nothing" : Degradation.NO_C2.name();
      System.out.println(VectorSelfTest.run().map(Degradation::name).orElse(without));
    }
  }

  @Test
  void nothingIsWrongWithAJvmAsTheLauncherStartsIt() throws IOException, InterruptedException {
    assertThat(found()).isEqualTo("nothing");
  }

  @Test
  void aJvmWithoutC2IsNamed() throws IOException, InterruptedException {
    assertThat(found("-XX:TieredStopAtLevel=1")).isEqualTo("NO_C2");
    assertThat(found("-Xint")).isEqualTo("NO_C2");
  }

  /** C2 is there but may not inline what vectors are made of. */
  @Test
  void aJvmThatDoesNotKeepVectorsInRegistersIsNamed() throws IOException, InterruptedException {
    assertThat(found("-XX:+UnlockExperimentalVMOptions", "-XX:-EnableVectorSupport"))
        .isEqualTo("BOXED_VECTORS");
  }

  private static String found(String... flags) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(System.getProperty("java.home") + "/bin/java");
    command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of(flags));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(Program.class.getName());
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    return out.strip();
  }
}
