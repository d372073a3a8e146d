package dev.ridgeline.lab.study;

import dev.ridgeline.backend.Backend;
import dev.ridgeline.backend.MemoryPlan;
import dev.ridgeline.backend.Place;
import dev.ridgeline.gguf.GgufFile;
import dev.ridgeline.lab.LoadedModel;
import dev.ridgeline.model.Model;
import dev.ridgeline.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;

/** A variant's name and file. */
record StudyVariant(String name, Path path) {

  /** Where it would run, and what that would take of each device. */
  List<Place> places(Backend backend, LoadedModel.Room room) {
    try (GgufFile file = GgufFile.open(path)) {
      return LoadedModel.places(Model.read(file.metadata(), file.tensors()), backend, room);
    }
  }

  /** What is in its file, and what running it would take. */
  LabRecord.Variant facts(Backend backend, LoadedModel.Room room, double makeSeconds) {
    try (GgufFile file = GgufFile.open(path)) {
      MemoryPlan memory =
          LoadedModel.plan(Model.read(file.metadata(), file.tensors()), backend, room);
      var types = new TreeMap<String, Integer>();
      long bytes = 0;
      long elements = 0;
      for (Tensor t : file.tensors().values()) {
        types.merge(t.type().name(), 1, Integer::sum);
        bytes += t.data().byteSize();
        elements += t.shape().elements();
      }
      return new LabRecord.Variant(
          name,
          file.byteSize(),
          8.0 * bytes / elements,
          types,
          makeSeconds,
          memory.weightBytes(),
          memory.repackedBytes(),
          memory.kvBytes(),
          memory.activationBytes(),
          memory.stagingBytes());
    }
  }
}
