package dev.ridgeline.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ridgeline.model.FileType.Traits;
import dev.ridgeline.model.synth.Synth;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FileTypeTest {
  /**
   * Counts of the formats that the reference engine's quantizer chose (llama-quantize --dry-run,
   * for models of these layers, heads and experts).
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "llama-8b | Q4_K_M | F32=66 Q4_K=193 Q6_K=33",
        "llama-8b | Q3_K_M | F32=66 Q3_K=129 Q4_K=92 Q5_K=4 Q6_K=1",
        "llama-8b | Q2_K | F32=66 Q2_K=129 Q3_K=64 Q4_K=32 Q6_K=1",
        "llama-70b | Q4_K_M | F32=162 Q4_K=441 Q5_K=40 Q6_K=81",
        "llama-1b | Q8_0 | F32=34 Q8_0=113",
        "mixtral-8x7b | Q4_K_M | F32=97 Q4_K=113 Q5_K=32 Q6_K=17 Q8_0=64",
        "gemma3-1b | Q4_K_M | F32=157 Q4_K=39 Q5_0=117 Q6_K=13 Q8_0=14",
        "phi3-mini | Q4_K_M | F32=65 Q4_K=97 Q6_K=33",
        "qwen2-0.5b | Q3_K_M | F32=121 Q4_0=96 Q4_K=23 Q5_0=46 Q5_1=2 Q5_K=1 Q8_0=1",
        "gpt-oss-20b | MXFP4 | F32=289 MXFP4=72 Q8_0=98",
      })
  void mixesAreThoseOfTheReferenceEngine(String shape, FileType type, String expected) {
    var synth = new Synth(shape, type);
    Map<String, Long> counts =
        synth.tensors().stream()
            .collect(
                Collectors.groupingBy(
                    t -> synth.typeOf(t).name(), TreeMap::new, Collectors.counting()));
    String found =
        counts.entrySet().stream()
            .map(e -> e.getKey() + "=" + e.getValue())
            .collect(Collectors.joining(" "));
    assertThat(found).isEqualTo(expected);
  }

  @Test
  void rowsThatFillNoBlockStayFloat16() {
    var traits = new Traits(1, 1, 0, false);
    assertThat(FileType.Q4_K_M.typeOf("blk.0.ffn_up.weight", Shape.of(100, 8), traits))
        .isEqualTo(DType.F16);
  }

  /** What llama-quantize chose with and without --imatrix, for a model of 8 layers. */
  @ParameterizedTest
  @CsvSource({
    "Q4_0, Q4_0, Q4_1",
    "Q5_0, Q5_0, Q5_1",
    "IQ4_NL, Q5_K, IQ4_NL",
    "IQ4_XS, Q5_K, IQ4_XS"
  })
  void anImportanceMatrixChangesTheFirstLayersDownProjection(
      FileType type, DType without, DType with) {
    Shape shape = Shape.of(1536, 512);
    assertThat(type.typeOf("blk.0.ffn_down.weight", shape, new Traits(8, 2, 0, true, false)))
        .isEqualTo(without);
    assertThat(type.typeOf("blk.0.ffn_down.weight", shape, new Traits(8, 2, 0, true, true)))
        .isEqualTo(with);
    assertThat(type.typeOf("blk.1.ffn_down.weight", shape, new Traits(8, 2, 0, true, true)))
        .isEqualTo(type.typeOf("blk.1.ffn_up.weight", shape, new Traits(8, 2, 0, true, true)));
  }

  @Test
  void theRouterStaysFloat32() {
    var traits = new Traits(1, 1, 8, false);
    assertThat(FileType.Q2_K.typeOf("blk.0.ffn_gate_inp.weight", Shape.of(256, 8), traits))
        .isEqualTo(DType.F32);
  }
}
