package dev.ridgeline;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The package table of the design: each line may use only the lines above it. */
class ArchitectureTest {
  /** Packages on one line do not import each other; the value lists the exceptions. */
  private static final List<List<String>> LINES =
      List.of(
          List.of("os", "tensor", "kvcache", "sampler"),
          List.of("gguf", "quant", "graph"),
          List.of("tokenizer", "model", "backend"),
          List.of("reference", "cpu", "vulkan", "scheduler", "quantize"),
          List.of("server", "lab"),
          List.of("cli"));

  /** Imports within a line that the design grants. */
  private static final Map<String, List<String>> WITHIN_LINE = Map.of();

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(location -> !location.contains("-tests.jar"))
          .importPackages("dev.ridgeline");

  @Test
  void eachPackageUsesOnlyTheLinesAboveIt() {
    var violations = new TreeSet<String>();
    for (JavaClass from : CLASSES) {
      for (Dependency dependency : from.getDirectDependenciesFromSelf()) {
        JavaClass to = dependency.getTargetClass();
        if (to.getPackageName().startsWith("dev.ridgeline") && !allowed(name(from), name(to))) {
          violations.add(from.getName() + " uses " + to.getName());
        }
      }
    }
    assertThat(violations).isEmpty();
  }

  @Test
  void everyPackageStandsInTheTable() {
    var unknown = new TreeSet<String>();
    for (JavaClass c : CLASSES) {
      if (line(name(c)) < 0) {
        unknown.add(c.getPackageName());
      }
    }
    assertThat(unknown).isEmpty();
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("dev.ridgeline.(**)").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void theEngineDependsOnNothingButTheJdk() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "..os..",
            "..tensor..",
            "..kvcache..",
            "..sampler..",
            "..gguf..",
            "..quant..",
            "..quantize..",
            "..graph..",
            "..tokenizer..",
            "..model..",
            "..backend..",
            "..reference..",
            "..cpu..",
            "..scheduler..")
        .should()
        .dependOnClassesThat()
        .resideOutsideOfPackages(
            "dev.ridgeline..", "java..", "jdk..", "org.jspecify..", "com.sun.management..")
        .check(CLASSES);
  }

  private static boolean allowed(String from, String to) {
    return from.equals(to)
        || line(to) < line(from)
        || WITHIN_LINE.getOrDefault(from, List.of()).contains(to);
  }

  private static String name(JavaClass c) {
    String[] parts = c.getPackageName().split("\\.", -1);
    return parts.length > 2 ? parts[2] : "";
  }

  private static int line(String name) {
    for (int i = 0; i < LINES.size(); i++) {
      if (LINES.get(i).contains(name)) {
        return i;
      }
    }
    return -1;
  }
}
