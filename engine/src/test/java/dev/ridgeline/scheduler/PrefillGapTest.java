package dev.ridgeline.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.backend.Capacity;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.backend.Step;
import dev.ridgeline.kvcache.KvCache;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a long prompt may do to those who are reading along, counted in tokens and steps. */
@Timeout(120)
class PrefillGapTest {
  private static final int BLOCK = 32;
  private static final int CONTEXT = 4608;
  private static final int PROMPT = 4000;
  private static final int STEP_TOKENS = 512;
  private static final int SEQUENCES = 4;

  /** What a pace says before it has seen a step. */
  private static final int UNKNOWN = new PrefillPace(0).tokens();

  /** Rows of each sequence of a step, by its first position: a prompt's piece has many rows. */
  private record Seen(int generating, int prompt) {}

  private static Seen look(Step step) {
    int generating = 0;
    int prompt = 0;
    for (int s = 0; s < step.sequenceCount(); s++) {
      int rows = step.endRow(s) - step.firstRow(s);
      generating += rows == 1 ? 1 : 0;
      prompt += rows == 1 ? 0 : rows;
    }
    return new Seen(generating, prompt);
  }

  @Test
  void runningTextsAdvanceInEveryStepWhileALongPromptComesIn() {
    int blocks = SEQUENCES * CONTEXT / BLOCK;
    var capacity =
        new Capacity(
            STEP_TOKENS, SEQUENCES, SEQUENCES, CONTEXT, BLOCK, List.of(blocks), KvType.F16);
    var executable = new HistoryExecutable(capacity, List.of(0), Letters.SIZE);
    List<Seen> steps = Collections.synchronizedList(new ArrayList<>());
    executable.beforeStep = step -> steps.add(look(step));
    GenerateParams endless = GenerateParams.builder().ignoreEos(true).build();
    // A gap of nothing: the least that lets prompts get on at all.
    var settings = new StepLoop.Settings(0, List.of());
    var groups = List.of(new KvCache.Group(0, blocks, blocks));
    try (var core = new EngineCore(executable, Letters.tokenizer(), groups, settings)) {
      var running = new ArrayList<TokenStream>();
      for (String prompt : List.of("abc", "def", "ghi")) {
        running.add(core.generate(Letters.ids(prompt), endless));
      }
      for (TokenStream stream : running) {
        stream.next();
      }
      int[] prompt = Letters.ids("longprompt".repeat(PROMPT / 10));
      core.generate(prompt, endless.toBuilder().maxTokens(1).build()).collect();
      running.forEach(TokenStream::cancel);
      running.forEach(TokenStream::stats);
    }
    List<Seen> pieces = steps.stream().filter(s -> s.prompt > 3 * 3).toList();
    assertThat(pieces.stream().mapToInt(Seen::prompt).sum()).as("the prompt").isEqualTo(PROMPT);
    assertThat(pieces).as("everybody has a token").allMatch(s -> s.generating == 3);
    assertThat(pieces.getFirst().prompt).as("before a speed is known").isEqualTo(UNKNOWN);
    assertThat(pieces.subList(1, pieces.size()))
        .as("no more than the bound")
        .allMatch(s -> s.prompt <= PrefillPace.LEAST);
  }
}
