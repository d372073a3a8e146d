package dev.ridgeline.tokenizer.template;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Whatever a file calls a template: it renders, or fails with a TemplateException, and ends. */
class TemplateFuzzTest {
  private static final JinjaCases CASES = JinjaCases.load();
  private static final RenderLimits SMALL = new RenderLimits(100_000, 20_000, 60);

  private static final List<String> PIECES =
      List.of(
          "{{",
          "}}",
          "{%",
          "%}",
          "{#",
          "#}",
          "{{-",
          "-}}",
          "{%-",
          "-%}",
          "+%}",
          "{%+",
          " ",
          "\n",
          "if",
          "elif",
          "else",
          "endif",
          "for",
          "in",
          "endfor",
          "recursive",
          "set",
          "endset",
          "=",
          "macro",
          "endmacro",
          "call",
          "endcall",
          "filter",
          "endfilter",
          "with",
          "endwith",
          "raw",
          "endraw",
          "break",
          "continue",
          "generation",
          "endgeneration",
          "not",
          "and",
          "or",
          "is",
          "m",
          "x",
          "l",
          "d",
          "s",
          "n",
          "users",
          "loop",
          "ns",
          "namespace",
          "range",
          "caller",
          "nil",
          "(",
          ")",
          "[",
          "]",
          "{",
          "}",
          ",",
          ":",
          ".",
          "|",
          "~",
          "+",
          "-",
          "*",
          "**",
          "/",
          "//",
          "%",
          "==",
          "!=",
          "<",
          ">=",
          "'a'",
          "'%s'",
          "'{}'",
          "\"",
          "'",
          "\\",
          "0",
          "1",
          "-1",
          "9",
          "1e5",
          "2.5",
          "0x",
          "_",
          "items()",
          "append",
          "format",
          "split",
          "join",
          "upper",
          "map",
          "select",
          "sort",
          "groupby",
          "tojson",
          "default",
          "int",
          "round",
          "replace",
          "batch",
          "slice",
          "indent",
          "truncate",
          "odd",
          "defined",
          "index",
          "cycle",
          "😀",
          "é",
          "\u0000",
          "\uD83D",
          "\r\n",
          "\t",
          "None",
          "true",
          ";",
          "!",
          "@");

  @Property(tries = 4000)
  void anySequenceOfTokensIsHandled(@ForAll("tokens") String template) {
    assertHandled(template);
  }

  @Property(tries = 4000)
  void anyExpressionIsHandled(@ForAll("tokens") String expression) {
    assertHandled("{{ " + expression.replace("{{", "").replace("}}", "") + " }}");
  }

  @Property(tries = 8000)
  void anyDamagedTemplateIsHandled(@ForAll("damaged") String template) {
    assertHandled(template);
  }

  @Property(tries = 2000)
  void anyTextIsHandled(@ForAll String template) {
    assertHandled(template);
  }

  private static void assertHandled(String template) {
    try {
      ChatTemplate parsed = ChatTemplate.parse("t", template);
      String text = parsed.withClock(JinjaCases.NOON).withLimits(SMALL).render(CASES.context());
      assertThat(text.length()).isLessThanOrEqualTo(SMALL.outputChars());
    } catch (TemplateException e) {
      assertThat(e.getMessage()).startsWith("t:" + e.line() + ": " + e.kind() + ": ");
      assertThat(e.getMessage()).doesNotContain("\n");
      assertThat(e.line()).isBetween(1, template.split("\r\n|\r|\n", -1).length);
    }
  }

  @Provide
  Arbitrary<String> tokens() {
    return Arbitraries.of(PIECES).list().ofMinSize(1).ofMaxSize(40).map(l -> String.join(" ", l));
  }

  /** A recorded template with a piece cut out, put in or copied from another one. */
  @Provide
  Arbitrary<String> damaged() {
    Arbitrary<String> templates = Arbitraries.of(CASES.cases()).map(JinjaCases.Case::template);
    Arbitrary<Double> places = Arbitraries.doubles().between(0, 1);
    return Combinators.combine(templates, templates, Arbitraries.of(PIECES), places, places)
        .as(TemplateFuzzTest::damage);
  }

  private static String damage(
      String template, String other, String piece, double at, double length) {
    int start = (int) (at * template.length());
    int end = start + (int) (length * length * (template.length() - start));
    String insert = length < 0.3 ? piece : length < 0.6 ? "" : other;
    return template.substring(0, start) + insert + template.substring(end);
  }
}
