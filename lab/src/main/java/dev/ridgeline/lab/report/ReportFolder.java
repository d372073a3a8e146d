package dev.ridgeline.lab.report;

import dev.ridgeline.lab.study.RecordFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes everything that follows from a folder's {@code records.jsonl} beside it. */
public final class ReportFolder {
  private static final String RECORDS = "records.jsonl";

  private ReportFolder() {}

  /**
   * Writes {@code performance_matrix.csv}, {@code summary.csv}, {@code REPORT.md}, {@code
   * report.html} and {@code plots/}; what was there is replaced.
   *
   * @throws IllegalArgumentException if the folder has no records of a study
   */
  public static Findings write(Path folder) throws IOException {
    Path records = folder.resolve(RECORDS);
    if (!Files.exists(records)) {
      throw new IllegalArgumentException(
          folder + ": has no " + RECORDS + "; expected the folder of a study");
    }
    Findings findings;
    try {
      findings = Findings.of(new RecordFile(records).read());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(records + ": " + e.getMessage(), e);
    }
    CsvFiles.matrix(findings, folder.resolve("performance_matrix.csv"));
    CsvFiles.summary(findings, folder.resolve("summary.csv"));
    List<String> plots = plots(findings, folder);
    Files.writeString(folder.resolve("REPORT.md"), new MarkdownReport(findings, plots).text());
    Files.writeString(folder.resolve("report.html"), HtmlReport.text(findings));
    return findings;
  }

  /** None where the Java runtime cannot draw text, which the report says. */
  private static List<String> plots(Findings findings, Path folder) throws IOException {
    try {
      return new Plots(findings, folder.resolve("plots")).write();
    } catch (LinkageError | InternalError e) {
      return List.of();
    }
  }

  /** Zips the folder, without models, into {@code <folder>.zip} beside it; the zip's path. */
  public static Path archive(Path folder) throws IOException {
    Path absolute = folder.toAbsolutePath().normalize();
    Path zip = absolute.resolveSibling(absolute.getFileName() + ".zip");
    Path part = Files.createTempFile(absolute.getParent(), ".archive", ".part");
    try {
      try (OutputStream out = Files.newOutputStream(part);
          ZipOutputStream zipped = new ZipOutputStream(out);
          Stream<Path> files = Files.walk(absolute)) {
        for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
          if (!file.toString().endsWith(".gguf")) {
            zipped.putNextEntry(
                new ZipEntry(absolute.getFileName() + "/" + absolute.relativize(file)));
            Files.copy(file, zipped);
            zipped.closeEntry();
          }
        }
      }
      Files.move(part, zip, StandardCopyOption.REPLACE_EXISTING);
      return zip;
    } finally {
      Files.deleteIfExists(part);
    }
  }
}
