package dev.ridgeline.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ridgeline.os.CLibrary;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A kernel that reads past the end of a weight is right as long as something is mapped there, and
 * ends the process where a file's mapping ends. So each weight of the op cases is put right before
 * a page that nobody may read, in a process of its own ({@link PageEndCases}).
 */
class PageEndTest {
  @TempDir private Path folder = Path.of("");

  @Test
  void noKernelReadsPastTheEndOfAWeight() throws Exception {
    assumeTrue(CLibrary.isUsable(), "needs Linux and --enable-native-access");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(flag -> !flag.startsWith("-javaagent"))
        .forEach(command::add);
    command.addAll(
        List.of(
            "-XX:ErrorFile=" + folder.resolve("crash"),
            "-XX:-CreateCoredumpOnCrash",
            "-cp",
            System.getProperty("java.class.path"),
            PageEndCases.class.getName()));
    Path cases = folder.resolve("cases");
    int status =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(cases.toFile())
            .start()
            .waitFor();

    List<String> lines = Files.readAllLines(cases);
    String last =
        lines.stream().filter(line -> line.startsWith(PageEndCases.CASE)).reduce("", (_, b) -> b);
    assertThat(status).as("read past the end of a weight in %s", last).isZero();
    assertThat(last).isNotEmpty();
  }
}
