package dev.ridgeline.tokenizer.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.nio.CharBuffer;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChatTemplateTest {
  private static final String CHATML =
      """
      {{ bos_token }}
      {%- for message in messages %}
      <|im_start|>{{ message.role }}
      {{ message.content | trim }}<|im_end|>
      {% endfor %}
      {%- if tools %}{{ tools | tojson }}{% endif %}
      {%- if add_generation_prompt %}<|im_start|>assistant{{ eos_token }}{% endif %}
      """;

  private static String render(String template, Map<String, ?> context) {
    return ChatTemplate.parse("t", template).render(context);
  }

  @Test
  void rendersAConversation() {
    List<Map<String, Object>> messages =
        List.of(Map.of("role", "user", "content", " Hi "), Map.of("role", "x", "content", "Yo"));
    ChatTemplate template = ChatTemplate.parse("chatml", CHATML);
    assertThat(template.name()).isEqualTo("chatml");
    assertThat(template.render(new Conversation(messages, "<s>", "</s>")))
        .isEqualTo(
            "<s><|im_start|>user\nHi<|im_end|>\n<|im_start|>x\nYo<|im_end|>\n"
                + "<|im_start|>assistant</s>");
  }

  @Test
  void givesTheVariablesThatHuggingFaceGives() {
    Map<String, Object> tool = Map.of("type", "function");
    Conversation conversation =
        new Conversation(List.of(), List.of(tool), false, "B", "E", Map.of("mood", "calm"));
    String template =
        "{{ messages }}{{ tools }}{{ add_generation_prompt }}{{ bos_token }}{{ eos_token }}{{ mood }}"
            + "{{ documents is none }}";
    assertThat(ChatTemplate.parse("t", template).render(conversation))
        .isEqualTo("[][{'type': 'function'}]FalseBEcalmTrue");
    Conversation without = new Conversation(List.of(), "", "");
    assertThat(ChatTemplate.parse("t", "{{ tools is none }}{{ mood is defined }}").render(without))
        .isEqualTo("TrueFalse");
  }

  @Test
  void variablesWinOverTheUsualOnes() {
    Conversation conversation =
        new Conversation(List.of(), null, true, "B", "E", Map.of("bos_token", "other"));
    assertThat(ChatTemplate.parse("t", "{{ bos_token }}").render(conversation)).isEqualTo("other");
  }

  @Test
  void plainJavaValuesBecomePythonValues() {
    Map<String, Object> context = new LinkedHashMap<>();
    context.put(
        "v",
        Arrays.asList(
            null,
            true,
            1,
            2L,
            (short) 3,
            (byte) 4,
            BigInteger.TEN,
            1.5,
            0.5f,
            "s",
            CharBuffer.wrap("b"),
            List.of(),
            Map.of("k", 1)));
    assertThat(render("{{ v }}", context))
        .isEqualTo("[None, True, 1, 2, 3, 4, 10, 1.5, 0.5, 's', 'b', [], {'k': 1}]");
  }

  @Test
  void otherJavaValuesAreRefused() {
    assertThatThrownBy(() -> render("", Map.of("v", List.of(Map.of("k", Instant.EPOCH)))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("holds maps, collections, text, numbers")
        .hasMessageContaining("found java.time.Instant");
    assertThatThrownBy(() -> render("", Map.of("v", BigInteger.TWO.pow(64))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("more than 64 bits");
    List<Object> circle = new ArrayList<>();
    circle.add(circle);
    assertThatThrownBy(() -> render("", Map.of("v", circle)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("nests too deeply");
  }

  @Test
  void renderingLeavesTheContextAsItIs() {
    Map<String, Object> inner = Collections.unmodifiableMap(new LinkedHashMap<>(Map.of("k", 1)));
    String template =
        "{% set ns = namespace(inner) %}{% set ns.k = 2 %}{% set inner = 3 %}{{ ns.k }}{{ inner }}";
    assertThat(render(template, Map.of("inner", inner))).isEqualTo("23");
    assertThat(inner).isEqualTo(Map.of("k", 1));
  }

  @Test
  void theClockIsAnArgument() {
    Clock clock = Clock.fixed(Instant.parse("2024-02-29T23:05:06Z"), ZoneId.of("Europe/Paris"));
    String template = "{{ strftime_now('%d %b %Y %H:%M %z') }}";
    assertThat(ChatTemplate.parse("t", template).withClock(clock).render(Map.of()))
        .isEqualTo("01 Mar 2024 00:05 +0100");
  }

  @Test
  void raisedMessagesArriveWhole() {
    String template = "a\n\n{{ raise_exception('No\\nsystem role') }}";
    assertThatThrownBy(() -> ChatTemplate.parse("gemma.jinja", template).render(Map.of()))
        .isInstanceOfSatisfying(
            TemplateException.class,
            e -> {
              assertThat(e.template()).isEqualTo("gemma.jinja");
              assertThat(e.line()).isEqualTo(3);
              assertThat(e.kind()).isEqualTo("TemplateError");
              assertThat(e.detail()).isEqualTo("No\nsystem role");
              assertThat(e).hasMessage("gemma.jinja:3: TemplateError: No\\nsystem role");
            });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% include 'x' %}",
        "{% import 'x' as x %}",
        "{% from 'x' import y %}",
        "{% extends 'x' %}",
        "{% block x %}{% endblock %}",
        "{% autoescape true %}{% endautoescape %}",
      })
  void whatReachesOutsideIsRefused(String template) {
    assertThatThrownBy(() -> ChatTemplate.parse("t", "\n" + template))
        .isInstanceOf(TemplateException.class)
        .hasMessageStartingWith("t:2: UnsupportedError: ")
        .hasMessageContaining("available");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{{ 9223372036854775807 + 1 }}; OverflowError",
        "{{ -9223372036854775807 - 2 }}; OverflowError",
        "{{ 3037000500 * 3037000500 }}; OverflowError",
        "{{ 2 ** 63 }}; OverflowError",
        "{{ -(-9223372036854775807 - 1) }}; OverflowError",
        "{{ (-9223372036854775807 - 1) // -1 }}; OverflowError",
        "{{ (-9223372036854775807 - 1)|abs }}; OverflowError",
        "{{ 9223372036854775808 }}; OverflowError",
        "{{ '9223372036854775808'|int }}; OverflowError",
        "{{ 1e19|int }}; OverflowError",
        "{{ '%d' % 1e19 }}; OverflowError",
        "{{ (-8) ** 0.5 }}; UnsupportedError",
        "{{ 'a'.encode() }}; UnsupportedError",
        "{% break %}; SyntaxError",
        "{{ [1]|random }}; TemplateAssertionError",
        "{{ lipsum() }}; UndefinedError",
      })
  void whatPythonCouldAndThisCannotFailsAloud(String template, String kind) {
    assertThatThrownBy(() -> render(template, Map.of()))
        .isInstanceOfSatisfying(TemplateException.class, e -> assertThat(e.kind()).isEqualTo(kind));
  }

  @Test
  void integersReachTheirLimits() {
    assertThat(render("{{ 9223372036854775807 }} {{ -9223372036854775807 - 1 }}", Map.of()))
        .isEqualTo("9223372036854775807 -9223372036854775808");
    assertThat(
            render("{{ '-9223372036854775808'|int }} {{ 2 ** 62 - 1 + 2 ** 62 }}", Map.of("x", 1)))
        .isEqualTo("-9223372036854775808 9223372036854775807");
  }

  @Test
  void oneTemplateServesManyThreads() throws Exception {
    ChatTemplate template =
        ChatTemplate.parse("t", "{% for i in range(n) %}{% set x = i %}{{ x }},{% endfor %}");
    try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
      List<Callable<String>> tasks = new ArrayList<>();
      for (int n = 0; n < 100; n++) {
        Map<String, Object> context = Map.of("n", n % 10);
        tasks.add(() -> template.render(context));
      }
      List<Future<String>> results = pool.invokeAll(tasks);
      for (int n = 0; n < 100; n++) {
        assertThat(results.get(n).get()).isEqualTo("0,1,2,3,4,5,6,7,8,9,".substring(0, n % 10 * 2));
      }
    }
  }
}
