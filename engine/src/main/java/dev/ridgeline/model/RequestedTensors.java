package dev.ridgeline.model;

import dev.ridgeline.gguf.GgufException;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Writes down what an architecture asks for; every request is granted. */
final class RequestedTensors implements Tensors {
  private final String file;
  private final int vocabularySize;
  private final Predicate<String> optional;
  private final Map<String, TensorRequest> requests = new LinkedHashMap<>();

  RequestedTensors(String file, int vocabularySize, Predicate<String> optional) {
    this.file = file;
    this.vocabularySize = vocabularySize;
    this.optional = optional;
  }

  /** In the order of the first request. */
  List<TensorRequest> requests() {
    return List.copyOf(requests.values());
  }

  @Override
  public int count() {
    return Integer.MAX_VALUE;
  }

  @Override
  public boolean has(String name) {
    return optional.test(name);
  }

  @Override
  public int rowsOf(String name) {
    return vocabularySize;
  }

  @Override
  public DType type(String name, Shape shape, boolean vector) {
    requests.put(name, new TensorRequest(name, shape, vector));
    return DType.F32;
  }

  @Override
  public GgufException refuse(String name, String problem) {
    return new GgufException(file, "tensor '" + name + "' " + problem);
  }
}
