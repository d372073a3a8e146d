package dev.ridgeline.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class StopMatcherTest {
  @Test
  void whatMayBeginAStopStringIsHeldBack() {
    var matcher = new StopMatcher(List.of("###", "#!"));
    assertThat(matcher.accept("ab#")).isEqualTo("ab");
    assertThat(matcher.accept("#")).isEmpty();
    assertThat(matcher.accept("c")).isEqualTo("##c");
    assertThat(matcher.accept("#")).isEmpty();
    assertThat(matcher.accept("!x")).isEmpty();
    assertThat(matcher.match()).isEqualTo("#!");
    assertThat(matcher.finish()).isEmpty();
  }

  @Test
  void textThatEndsGivesOutWhatWasHeldBack() {
    var matcher = new StopMatcher(List.of("stop"));
    assertThat(matcher.accept("a st")).isEqualTo("a ");
    assertThat(matcher.finish()).isEqualTo("st");
    assertThat(matcher.match()).isNull();
  }

  /**
   * However the text is cut, it ends at the first stop string that is complete, and never later.
   */
  @Property
  void howTheTextIsCutDoesNotMatter(
      @ForAll @StringLength(max = 40) @CharRange(from = 'a', to = 'b') String text,
      @ForAll @Size(max = 3) List<@StringLength(min = 1, max = 4) @CharRange(from = 'a', to = 'b') String> stops,
      @ForAll @IntRange(min = 1, max = 5) int piece) {
    var matcher = new StopMatcher(stops);
    var out = new StringBuilder();
    for (int from = 0; from < text.length() && matcher.match() == null; from += piece) {
      out.append(matcher.accept(text.substring(from, Math.min(text.length(), from + piece))));
      assertThat(text).startsWith(out);
    }
    out.append(matcher.finish());
    int end = stops.stream().mapToInt(text::indexOf).filter(i -> i >= 0).min().orElse(-1);
    if (end < 0) {
      assertThat(matcher.match()).isNull();
      assertThat(out.toString()).isEqualTo(text);
    } else {
      assertThat(stops).contains(matcher.match());
      assertThat(out.length()).as("no stop string is given out").isLessThan(text.length());
      assertThat(stops).noneMatch(stop -> out.indexOf(stop) >= 0);
      assertThat(stops).anyMatch(stop -> text.startsWith(stop, out.length()));
    }
  }
}
