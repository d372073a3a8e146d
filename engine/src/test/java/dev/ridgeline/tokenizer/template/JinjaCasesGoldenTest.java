package dev.ridgeline.tokenizer.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

class JinjaCasesGoldenTest {
  private static final JinjaCases CASES = JinjaCases.load();

  @TestFactory
  Stream<DynamicTest> rendersOrFailsAsJinja2Does() {
    return CASES.cases().stream()
        .map(recorded -> dynamicTest(Repr.quote(recorded.template()), () -> check(recorded)));
  }

  private static void check(JinjaCases.Case recorded) {
    if (recorded.error() == null) {
      assertThat(render(recorded)).isEqualTo(recorded.text());
    } else {
      TemplateException e = catchThrowableOfType(TemplateException.class, () -> render(recorded));
      assertThat(e).as("expected %s", recorded.error()).isNotNull();
      assertThat(e.kind() + ": " + e.detail()).isEqualTo(recorded.error());
      assertThat(e.line()).isEqualTo(recorded.line());
    }
  }

  private static String render(JinjaCases.Case recorded) {
    return ChatTemplate.parse("case", recorded.template())
        .withClock(JinjaCases.NOON)
        .render(CASES.context());
  }
}
