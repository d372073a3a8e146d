package dev.ridgeline.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.backend.KvType;
import dev.ridgeline.gguf.GgufException;
import dev.ridgeline.sampler.SamplingParams;
import dev.ridgeline.scheduler.TokenStream.Completion;
import dev.ridgeline.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class EngineTest {
  private static final EngineOptions REFERENCE =
      EngineOptions.builder().backend("reference").batchTokens(64).build();
  private static final GenerateParams GREEDY =
      GenerateParams.builder().sampling(SamplingParams.GREEDY).maxTokens(12).build();

  @TempDir private Path folder;
  private Path file = Path.of("");

  @BeforeEach
  void writeModel() throws IOException {
    file = TinyFile.write(folder);
  }

  @Test
  void aFileAnswers() {
    try (Engine engine = Engine.open(file, REFERENCE)) {
      Completion done = engine.generate("hello", GREEDY).collect();
      assertThat(done.ids()).isNotEmpty();
      assertThat(done.stats().promptTokens()).as("with BOS").isEqualTo(6);
      assertThat(engine.model().name()).isEqualTo("tiny");
      assertThat(engine.tokenizer().size()).isEqualTo(Letters.SIZE);
      assertThat(engine.backend().name()).isEqualTo("reference");
      assertThat(engine.status().running()).isZero();
      int[] ids = engine.tokenizer().encode("hello", Tokenizer.Bos.YES, false);
      assertThat(engine.generate(ids, GREEDY).collect().ids()).isEqualTo(done.ids());
    }
  }

  @Test
  void twoModelsCanBeOpenInOneProgram() {
    try (Engine one = Engine.open(file, REFERENCE)) {
      Completion alone = one.generate("abc", GREEDY).collect();
      try (Engine two = Engine.open(file, REFERENCE)) {
        TokenStream first = one.generate("abc", GREEDY);
        assertThat(two.generate("abc", GREEDY).collect().ids()).isEqualTo(alone.ids());
        assertThat(first.collect().ids()).isEqualTo(alone.ids());
      }
      assertThat(one.generate("abc", GREEDY).collect().ids()).isEqualTo(alone.ids());
    }
  }

  @Test
  void aConversationGoesThroughTheTemplate() throws IOException {
    try (Engine engine = Engine.open(file, REFERENCE)) {
      Completion chat = engine.chat(GREEDY, Message.system("be"), Message.user("hi")).collect();
      Completion same = engine.generate("systemxbeuserxhi", GREEDY).collect();
      assertThat(chat.ids()).isEqualTo(same.ids());
      assertThat(chat.stats().promptTokens()).as("one BOS").isEqualTo(17);
    }
    var bare = TinyFile.metadata();
    bare.remove("tokenizer.chat_template");
    try (Engine engine = Engine.open(TinyFile.write(folder, bare), REFERENCE)) {
      assertThat(engine.chatPrompt()).isEmpty();
      assertThatThrownBy(() -> engine.chat(Message.user("hi")))
          .hasMessageEndingWith("has no chat template: give it a prompt instead of messages");
    }
  }

  @Test
  void thePlanIsToldBeforeAnythingIsAllocated() {
    var plans = new ArrayList<EnginePlan>();
    EngineOptions options = REFERENCE.toBuilder().parallel(2).onPlan(plans::add).build();
    try (Engine engine = Engine.open(file, options)) {
      assertThat(plans).containsExactly(engine.plan());
      EnginePlan plan = engine.plan();
      assertThat(plan.capacity().maxContext()).as("what it was trained for").isEqualTo(256);
      assertThat(plan.kvTokens()).isEqualTo(512);
      // 2 layers, 1 KV head of 32, K and V, 2 bytes each
      assertThat(engine.memoryPlan().kvBytes()).isEqualTo(512L * 2 * 32 * 2 * 2);
      assertThat(plan.toString()).contains("(512 tokens)").contains("context 256, 2 sequences");
    }
    EngineOptions q8 = REFERENCE.toBuilder().kvType(KvType.Q8_0).context(100).parallel(1).build();
    try (Engine engine = Engine.open(file, q8)) {
      assertThat(engine.memoryPlan().kvBytes()).isEqualTo(128L * 2 * 34 * 2);
      assertThat(engine.generate("abc", GREEDY).collect().ids()).isNotEmpty();
    }
  }

  @Test
  void whatDoesNotFitIsRefusedWithTheArithmetic() {
    EngineOptions huge = REFERENCE.toBuilder().context(1 << 30).parallel(1).build();
    assertThatThrownBy(() -> Engine.open(file, huge))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "the model does not fit: weights 0.3 MB + KV 274.88 GB (1073741824 tokens)")
        .hasMessageContaining("GB available, of which a tenth stays free");
    EngineOptions few = REFERENCE.toBuilder().context(100).kvTokens(64).build();
    assertThatThrownBy(() -> Engine.open(file, few))
        .hasMessage("kvTokens: expected at least the context of 100, found 64");
  }

  @Test
  void wrongFilesAndOptionsAreRefusedInOneLine() {
    assertThatThrownBy(() -> Engine.open(folder.resolve("none.gguf"), REFERENCE))
        .isInstanceOf(GgufException.class);
    EngineOptions unknown = REFERENCE.toBuilder().backend("abacus").build();
    assertThatThrownBy(() -> Engine.open(file, unknown))
        .hasMessageStartingWith("unknown backend 'abacus'; known are auto, ");
    assertThatThrownBy(() -> EngineOptions.builder().parallel(0).build())
        .hasMessage("parallel: expected 1 to 4096, found 0");
  }

  @Test
  void closingWhileARequestRunsEndsIt() {
    Engine engine = Engine.open(file, REFERENCE);
    TokenStream stream =
        engine.generate("abc", GREEDY.toBuilder().maxTokens(-1).ignoreEos(true).build());
    stream.next();
    engine.close();
    assertThat(stream.stats().finishReason()).isIn(FinishReason.CANCELLED, FinishReason.LENGTH);
    engine.close();
  }
}
