package dev.ridgeline.lab;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.BackendOptions;
import dev.ridgeline.backend.Backends;
import dev.ridgeline.backend.KvType;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.model.Model;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoadedModelTest {
  @TempDir private Path folder = Path.of("");

  @Test
  void whatDoesNotFitIsRefusedWithTheArithmetic() {
    var room = LoadedModel.Room.of(1 << 30, 8, KvType.F16);
    try (GgufFile file = GgufFile.open(TinyStudy.source(folder));
        Backend backend = Backends.open("cpu", BackendOptions.DEFAULTS)) {
      Model model = Model.read(file.metadata(), file.tensors());
      assertThatThrownBy(() -> new LoadedModel(file, model, backend, room))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContainingAll("does not fit", "KV", "available", "Use fewer tokens");
    }
  }
}
