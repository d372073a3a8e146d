package dev.ridgeline.model;

import dev.ridgeline.gguf.GgufException;
import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;
import dev.ridgeline.tensor.Tensor;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * A file's tensors. One that is missing, has another shape or another kind of type than asked for
 * is refused in one line; so is, at the end, one that nobody asked for, because a model computed
 * without it would be silently wrong.
 */
final class FileTensors implements Tensors {
  private final String file;
  private final Map<String, Tensor> tensors;
  private final Set<String> used = new HashSet<>();

  FileTensors(String file, Map<String, Tensor> tensors) {
    this.file = file;
    this.tensors = tensors;
  }

  @Override
  public int count() {
    return tensors.size();
  }

  @Override
  public boolean has(String name) {
    return tensors.containsKey(name);
  }

  @Override
  public int rowsOf(String name) {
    long rows = get(name).shape().ne1();
    if (rows < 1 || rows > Integer.MAX_VALUE) {
      throw refuse(name, "has " + rows + " rows; expected 1 to " + Integer.MAX_VALUE);
    }
    return (int) rows;
  }

  @Override
  public DType type(String name, Shape shape, boolean vector) {
    Tensor tensor = get(name);
    if (!tensor.shape().equals(shape)) {
      throw refuse(name, "has shape " + tensor.shape() + "; expected " + shape);
    }
    if (vector ? tensor.type() != DType.F32 : !tensor.type().isWeight()) {
      throw refuse(
          name,
          "has type " + tensor.type() + "; expected " + (vector ? "F32" : "a type of weights"));
    }
    return tensor.type();
  }

  /** Refuses the file if it has a tensor that nobody asked for. */
  void requireAllUsed(String architecture) {
    for (String name : tensors.keySet()) {
      if (!used.contains(name)) {
        throw refuse(
            name,
            "is not part of architecture '%s' as it is known here; results without it would be wrong"
                .formatted(architecture));
      }
    }
  }

  @Override
  public GgufException refuse(String name, String problem) {
    return new GgufException(file, "tensor '" + name + "' " + problem);
  }

  private Tensor get(String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw refuse(name, "is missing");
    }
    used.add(name);
    return tensor;
  }
}
