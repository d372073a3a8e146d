package dev.ridgeline.cli;

import dev.ridgeline.lab.report.Decisions;
import dev.ridgeline.lab.report.Findings;
import dev.ridgeline.lab.report.ReportFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ridgeline report}. */
@Command(
    name = "report",
    mixinStandardHelpOptions = true,
    description =
        "Writes the reports of studies again from their records.jsonl: tables, plots, REPORT.md, report.html.")
final class ReportCommand implements Callable<Integer> {
  @Parameters(paramLabel = "DIR", arity = "1..*", description = "Folders of studies.")
  private List<Path> folders = List.of();

  @Option(names = "--archive", description = "Zip each folder.")
  private boolean archive;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    for (Path folder : folders) {
      Findings findings = ReportFolder.write(folder);
      findings
          .damages()
          .forEach(
              d ->
                  err.println(
                      "ridgeline: %s, line %d is skipped: %s"
                          .formatted(folder.resolve("records.jsonl"), d.line(), d.reason())));
      new Decisions(findings).tree().forEach(out::println);
      out.println("report: " + folder.resolve("report.html") + ", " + folder.resolve("REPORT.md"));
      if (archive) {
        out.println("archive: " + ReportFolder.archive(folder));
      }
    }
    out.flush();
    err.flush();
    return 0;
  }
}
