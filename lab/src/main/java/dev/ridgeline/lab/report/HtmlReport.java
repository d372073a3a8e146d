package dev.ridgeline.lab.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/** {@code report.html}: one file with its data, its script and ECharts in it. */
final class HtmlReport {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .changeDefaultPropertyInclusion(i -> i.withValueInclusion(JsonInclude.Include.NON_NULL))
          .build();

  private static final String POM = "/META-INF/maven/org.webjars.npm/echarts/pom.properties";

  private HtmlReport() {}

  static String text(Findings findings) throws IOException {
    String data = MAPPER.writeValueAsString(PageData.of(findings));
    return resource("report.html")
        .replace("<!--TITLE-->", escape(findings.session().model()))
        .replace("/*STYLE*/", resource("report.css"))
        .replace("/*SCRIPT*/", resource("report.js"))
        // "</" would end the script element, wherever it stands.
        .replace("/*DATA*/", data.replace("</", "<\\/"))
        .replace("/*ECHARTS*/", echarts().replace("</script", "<\\/script"));
  }

  /** The library, from its WebJar, whose folder is named by its version. */
  private static String echarts() throws IOException {
    var pom = new Properties();
    try (InputStream in = HtmlReport.class.getResourceAsStream(POM)) {
      if (in == null) {
        throw new FileNotFoundException("the WebJar of ECharts is not on the class path");
      }
      pom.load(in);
    }
    return resource(
        "/META-INF/resources/webjars/echarts/%s/dist/echarts.common.min.js"
            .formatted(pom.getProperty("version")));
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = HtmlReport.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new FileNotFoundException(name + " is not on the class path");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
