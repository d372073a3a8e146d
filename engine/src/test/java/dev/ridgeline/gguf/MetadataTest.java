package dev.ridgeline.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MetadataTest {
  private final Metadata metadata =
      new Metadata(
          "m.gguf",
          Map.of(
              "layers",
              MetadataValue.uint32(12),
              "huge",
              new MetadataValue.Int(MetadataType.UINT64, -1),
              "epsilon",
              MetadataValue.float32(1e-5),
              "nothing",
              MetadataValue.float32(Double.NaN),
              "name",
              new MetadataValue.Text("a\nb"),
              "tokens",
              new MetadataValue.Texts(List.of("a", "b"))));

  @Test
  void aMissingKeyIsNamedUnlessThereIsADefault() {
    assertThatThrownBy(() -> metadata.integer("heads"))
        .isInstanceOf(GgufException.class)
        .hasMessage("m.gguf: metadata key 'heads' is missing; expected an integer");
    assertThat(metadata.integer("heads", 7)).isEqualTo(7);
    assertThat(metadata.string("heads", "x")).isEqualTo("x");
    assertThat(metadata.number("heads", 0.5)).isEqualTo(0.5);
    assertThat(metadata.bool("heads", true)).isTrue();
    assertThat(metadata.integerWithin("heads", 1, 4, 2)).isEqualTo(2);
  }

  @Test
  void aValueOfAnotherKindIsRefusedEvenWhereThereIsADefault() {
    assertThatThrownBy(() -> metadata.integer("name", 7))
        .hasMessage("m.gguf: metadata key 'name' is STRING 'a\\u000ab'; expected an integer");
    assertThatThrownBy(() -> metadata.integers("tokens"))
        .hasMessage(
            "m.gguf: metadata key 'tokens' is ARRAY of 2 STRING; expected an array of integers");
    assertThatThrownBy(() -> metadata.string("layers"))
        .hasMessage("m.gguf: metadata key 'layers' is UINT32 '12'; expected a string");
  }

  @Test
  void integersStayWithinTheirRange() {
    assertThat(metadata.integerWithin("layers", 1, 12)).isEqualTo(12);
    assertThatThrownBy(() -> metadata.integerWithin("layers", 1, 11))
        .hasMessage("m.gguf: metadata key 'layers' is 12; expected 1 to 11");
    assertThatThrownBy(() -> metadata.integerWithin("layers", 13, 20, 13))
        .hasMessage("m.gguf: metadata key 'layers' is 12; expected 13 to 20");
    assertThatThrownBy(() -> metadata.integer("huge"))
        .hasMessageContaining("UINT64 '18446744073709551615'; expected an integer below 2^63");
  }

  @Test
  void numbersAreFiniteAndMayBeIntegers() {
    assertThat(metadata.number("layers")).isEqualTo(12);
    assertThat(metadata.number("epsilon")).isEqualTo(1e-5f);
    assertThatThrownBy(() -> metadata.number("nothing"))
        .hasMessage("m.gguf: metadata key 'nothing' is FLOAT32 'NaN'; expected a finite number");
  }

  @Test
  void aValueOutsideItsTypeCannotBeMade() {
    assertThatThrownBy(() -> MetadataValue.uint32(-1))
        .hasMessage("-1 is not a value of type UINT32");
    assertThatThrownBy(() -> new MetadataValue.Int(MetadataType.INT8, 128))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new MetadataValue.Ints(MetadataType.UINT16, new long[] {65536}))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new MetadataValue.Real(MetadataType.INT32, 1))
        .hasMessage("INT32 is neither FLOAT32 nor FLOAT64");
    assertThatThrownBy(() -> new MetadataValue.Arrays(List.of(MetadataValue.uint32(1))))
        .hasMessage("UINT32 in an array of arrays");
  }
}
