package dev.ridgeline.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.sampler.SamplingParams.Dry;
import dev.ridgeline.sampler.SamplingParams.Mirostat;
import dev.ridgeline.sampler.SamplingParams.Penalties;
import dev.ridgeline.sampler.SamplingParams.Xtc;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class SamplingParamsTest {
  private static void refused(ThrowingCallable call, String field, String message) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            InvalidParameterException.class, e -> assertThat(e.field()).isEqualTo(field))
        .hasMessage(message);
  }

  @Test
  void everyRangeIsCheckedByNameExpectedAndFound() {
    SamplingParams.Builder b = SamplingParams.builder();
    refused(
        () -> b.temperature(-1).build(),
        "temperature",
        "temperature: expected 0.0 to 1000000.0, found -1.0");
    refused(
        () -> SamplingParams.builder().temperature(Float.NaN).build(),
        "temperature",
        "temperature: expected 0.0 to 1000000.0, found NaN");
    refused(
        () -> SamplingParams.builder().topK(-2).build(),
        "topK",
        "topK: expected -1 or more, found -2");
    refused(
        () -> SamplingParams.builder().topP(1.5f).build(),
        "topP",
        "topP: expected 0.0 to 1.0, found 1.5");
    refused(
        () -> SamplingParams.builder().logitBias(Map.of(3, Float.NaN)).build(),
        "logitBias[3]",
        "logitBias[3]: expected -Infinity to 1e6, found NaN");
    refused(
        () -> new Penalties(64, 0, 0, 0),
        "penalties.repeat",
        "penalties.repeat: expected 0.001 to 1000.0, found 0.0");
    refused(
        () -> new Xtc(2, 0), "xtc.probability", "xtc.probability: expected 0.0 to 1.0, found 2.0");
    refused(
        () -> new Dry(1, 0.5f, 2, -1, List.of()),
        "dry.base",
        "dry.base: expected 1.0 to 1000000.0, found 0.5");
    refused(
        () -> new Dry(1, 2, 2, -1, List.of("")),
        "dry.sequenceBreakers",
        "dry.sequenceBreakers: expected texts of 1 to 40 characters, found one of 0");
    refused(
        () -> new Mirostat(0, 0.1f),
        "mirostat.tau",
        "mirostat.tau: expected 0.001 to 1000.0, found 0.0");
  }

  @Test
  void aBuilderKeepsWhatItDoesNotChange() {
    SamplingParams params =
        SamplingParams.builder()
            .temperature(0.3f)
            .topK(7)
            .topP(0.6f)
            .minP(0.1f)
            .typicalP(0.9f)
            .penalties(new Penalties(5, 1.2f, 0.1f, 0.2f))
            .dry(new Dry(1, 2, 3, 4, List.of("x")))
            .xtc(new Xtc(0.1f, 0.2f))
            .mirostat(Mirostat.DEFAULTS)
            .logitBias(Map.of(1, 2f))
            .seed(9L)
            .topLogprobs(3)
            .build();
    assertThat(params.toBuilder().build()).isEqualTo(params).isNotEqualTo(SamplingParams.DEFAULTS);
  }
}
