package dev.ridgeline.tokenizer.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates come with model files from anywhere: each of these must end, in one clear error. */
class TemplateSandboxTest {
  /** Half of what the JVM gives a thread on Linux: the depth limit must hold in less than that. */
  private static final int STACK_BYTES = 512 << 10;

  private static final String BIG = "{% set big = 'ab' * 4000000 %}";

  /** {@code ns.x} is as deep as a template can make it, {@code [[[...]]]}. */
  private static final String DEEP =
      "{% set ns = namespace(x=[]) %}"
          + "{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}";

  /** {@code ns.x} and {@code ns.y} are equal, small in memory and have 2^100 elements. */
  private static final String WIDE =
      "{% set ns = namespace(x=[1], y=[1], t=(1,)) %}{% for i in range(100) %}"
          + "{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}"
          + "{% set ns.t = (ns.t, ns.t) %}{% endfor %}";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{% for a in range(100000) %}{% for b in range(100000) if no %}{% endfor %}{% endfor %}",
        "{{ [[]] * 10**9 }}",
        "{{ [1]|batch(10**9, 1)|list }}",
        "{{ [1]|slice(10**9)|list }}",
        WIDE + "{{ ns.x == ns.y }}",
        WIDE + "{{ ns.x < ns.y }}",
        BIG + "{{ (big ~ 'c') in (big ~ big) }}",
        BIG + "{% for i in range(1000) %}{{ big.find('c') }}{% endfor %}",
        BIG + "{% set b = big ~ '' %}{% for i in range(100000) %}{{ big == b }}{% endfor %}",
        BIG + "{% for i in range(100000) %}{% set x = big[7000000] %}{% endfor %}",
        BIG + "{{ big.split('a') }}",
        BIG + "{{ big|list }}",
        BIG + "{{ big|replace('b', '\n')|indent }}",
        BIG + "{{ big|wordwrap(1) }}",
        BIG + "{{ big.rsplit('b') }}",
        "{% set ns = namespace(l=[]) %}"
            + "{% for i in range(100000) %}{% set ns.l = ns.l + [i] %}{% endfor %}",
        "{% set ns = namespace(l=[]) %}"
            + "{% for i in range(9999) %}{% set ns.l = [ns.l, range(100000)|list] %}{% endfor %}",
        "{{ strftime_now('%c' * 5000000) }}",
      })
  void workIsLimited(String template) {
    assertLimit(template, "more than 20000000 steps");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ 'a' * 10**9 }}",
        "{{ 10**18 * 'ab' }}",
        "{{ 'a'.center(10**9) }}",
        "{{ 'a'.zfill(10**12) }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '%.999999999f' % 1.0 }}",
        "{{ '%*d' % (10**18, 1) }}",
        "{{ '{:>999999999}'.format(1) }}",
        "{{ '{:.999999999f}'.format(1.5) }}",
        "{{ 'a\tb'.expandtabs(10**9) }}",
        "{{ 'x'|indent(10**9) }}",
        "{{ {'a': 1}|tojson(indent=10**9) }}",
        "{{ {'a': {'b': {}}}|tojson(indent='x' * 10000000) }}",
        BIG + "{{ big|replace('a', big) }}",
        BIG + "{{ big.join('abcd') }}",
        BIG + "{{ big }}{{ big }}{{ big }}",
        BIG + "{{ big ~ big ~ big }}",
        WIDE + "{{ ns.x }}",
        WIDE + "{{ ns.x|tojson }}",
        "{% set ns = namespace(x='a') %}"
            + "{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
      })
  void textIsLimited(String template) {
    assertLimit(template, "text of more than 16777216 characters");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(x) %}{% for i in [1] %}{% if x %}{% with %}{{ ('a' ~ m(x + 1))|upper }}"
            + "{% endwith %}{% endif %}{% endfor %}{% endmacro %}{{ m(1) }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        DEEP + "{{ ns.x }}",
        DEEP + "{{ ns.x|tojson }}",
        DEEP + "{{ ns.x < [ns.x] }}",
        DEEP + "{{ [ns.x, [ns.x]]|sort }}",
        DEEP + "{{ '%s' % (ns.x,) }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(100000) %}"
            + "{% set ns.x = ns.x|map('string') %}{% endfor %}{{ ns.x|list }}",
      })
  void recursionIsLimited(String template) {
    assertLimit(template, "nested more than 400 deep");
  }

  @ParameterizedTest
  @ValueSource(strings = {"+1", " or 0", ".b", "[0]", "()", " if 1", "**2"})
  void longChainsOfOperatorsAreLimited(String link) {
    assertLimit("{{ x" + link.repeat(100000) + " }}", "nested more than 400 deep");
  }

  @Test
  void longChainsOfFiltersNeedNoDepth() {
    assertThat(outcome("{{ 1" + "|string".repeat(100000) + " }}")).isEqualTo("1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '"',
      value = {
        "{{; (",
        "{{; [",
        "{{; {1:",
        "{{ x; [x",
        "{{ f; (f",
        "{{; not ",
        "{{; -",
        "{{ 1; if 1 else 1",
        "{% set; (",
        "; {% if 1 %}",
        "; {% for a in b %}",
        "; {% macro m() %}",
        "; {% call m() %}",
        "; {% filter upper %}",
        "; {% set x %}",
      })
  void deepNestingIsRefusedAtOnce(@Nullable String start, String repeated) {
    String template = (start == null ? "" : start) + (" " + repeated).repeat(100000);
    assertThat(outcome(template)).isEqualTo("t:1: TemplateSyntaxError: nested more than 100 deep");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ '%.15999998f' % 1.5 }}",
        "{{ '{:.15999994e}'.format(1.5) }}",
        "{{ '%016000000d' % 1 }}",
        "{{ 'a'.center(16000000) }}",
      })
  void allowedWidthsAreCheap(String template) {
    assertThat(outcome(template).length()).isEqualTo(16000000);
  }

  @Test
  void keysOfDictsAreSmall() {
    assertThat(outcome(WIDE + "{{ {ns.t: 1} }}"))
        .isEqualTo("t:1: LimitError: key of more than 100 elements");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ x.__class__.__name__ }}",
        "{{ x['__class__'].mro() }}",
        "{{ x|attr('__init__')() }}",
        "{{ '{0.__class__.__name__}'.format(x) }}",
        "{{ [x]|map(attribute='__class__.__name__')|list }}",
        "{{ range.__globals__.x }}",
        "{{ x.append(1) }}",
        "{{ d.update({}) }}",
        "{{ d.pop('k') }}",
      })
  void nothingBehindAValueIsReachable(String template) {
    assertThat(outcome(template)).startsWith("t:1: SecurityError: access to attribute '");
  }

  @ParameterizedTest
  @ValueSource(strings = {"getClass", "class", "hashCode", "toString", "entrySet", "size", "bytes"})
  void javaIsNotReachable(String name) {
    String template = "{{ x.NAME is defined }}{{ d.NAME is defined }}{{ 's'.NAME is defined }}";
    assertThat(outcome(template.replace("NAME", name))).isEqualTo("FalseFalseFalse");
  }

  @Test
  void limitsCanBeSet() {
    ChatTemplate template = ChatTemplate.parse("t", "{% for i in range(10) %}ab{% endfor %}");
    assertThat(template.withLimits(new RenderLimits(1000, 20, 10)).render(Map.of())).hasSize(20);
    assertThatThrownBy(() -> template.withLimits(new RenderLimits(1000, 19, 10)).render(Map.of()))
        .hasMessage("t:1: LimitError: text of more than 19 characters");
    assertThatThrownBy(() -> template.withLimits(new RenderLimits(50, 20, 10)).render(Map.of()))
        .hasMessage("t:1: LimitError: more than 50 steps");
    assertThatThrownBy(() -> new RenderLimits(0, 1, 1))
        .hasMessage("every limit must be at least 1: steps 0, outputChars 1, depth 1");
  }

  private static void assertLimit(String template, String message) {
    assertThat(outcome(template)).isEqualTo("t:1: LimitError: " + message);
  }

  /** The text or the error's message, in a thread with little stack. */
  private static String outcome(String template) {
    AtomicReference<Object> outcome = new AtomicReference<>();
    Thread thread =
        new Thread(
            null,
            () -> {
              try {
                Map<String, Object> context = Map.of("x", List.of(), "d", Map.of("k", 1));
                outcome.set(ChatTemplate.parse("t", template).render(context));
              } catch (TemplateException e) {
                outcome.set(e.getMessage());
              }
            },
            "template",
            STACK_BYTES);
    thread.setUncaughtExceptionHandler((t, e) -> outcome.set(e));
    thread.start();
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    return String.valueOf(outcome.get());
  }
}
