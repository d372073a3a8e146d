package dev.ridgeline.model;

import dev.ridgeline.gguf.GgufException;
import dev.ridgeline.gguf.Metadata;
import dev.ridgeline.graph.Graph;
import dev.ridgeline.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * A model as data: what its file claims, checked, and its forward pass as a graph over the file's
 * tensors.
 *
 * @param name {@code general.name}, or the architecture where the file has none
 * @param hyperparameters the sizes
 * @param graph the forward pass, one op for each step of the paper; backends fuse it
 */
public record Model(String name, Hyperparameters hyperparameters, Graph graph) {
  /** A model to be run with as many tokens as it was trained for. */
  public static Model read(Metadata metadata, Map<String, Tensor> tensors) {
    return read(metadata, tensors, 0);
  }

  /**
   * A model to be run with up to {@code contextLength} tokens. Only LongRoPE (Phi 3) depends on the
   * number: it has other frequencies for contexts longer than the original one.
   *
   * @param contextLength 0: as many as it was trained for
   * @throws GgufException for an unknown architecture, a hyperparameter that makes no sense, and
   *     tensors that are missing, do not fit, or are not part of the architecture
   */
  public static Model read(Metadata metadata, Map<String, Tensor> tensors, int contextLength) {
    var keys = new Keys(metadata, metadata.string("general.architecture"));
    var checked = new FileTensors(metadata.file(), tensors);
    Model model = read(keys, checked, contextLength);
    checked.requireAllUsed(keys.architecture());
    return model;
  }

  /**
   * The tensors that a model with this metadata must have, in the order in which it uses them.
   *
   * @param vocabularySize rows of the token embedding
   * @param optional which tensors it has of those that a model of this architecture may have or
   *     not, such as {@code "output.weight"} or a bias
   */
  public static List<TensorRequest> tensors(
      Metadata metadata, int vocabularySize, Predicate<String> optional) {
    var keys = new Keys(metadata, metadata.string("general.architecture"));
    var requested = new RequestedTensors(metadata.file(), vocabularySize, optional);
    Model _ = read(keys, requested, 0);
    return requested.requests();
  }

  private static Model read(Keys keys, Tensors tensors, int contextLength) {
    Metadata metadata = keys.metadata();
    Architecture architecture = Architecture.KNOWN.get(keys.architecture());
    if (architecture == null) {
      throw metadata
          .origin()
          .at(
              "general.architecture",
              "architecture '%s' is not known; known are %s"
                  .formatted(keys.architecture(), String.join(", ", Architecture.KNOWN.keySet())));
    }
    var h = Hyperparameters.read(keys, tensors);
    var decoder =
        new Decoder(keys, tensors, h, contextLength == 0 ? h.contextLength() : contextLength);
    Graph graph = decoder.build(architecture.forward(decoder));
    return new Model(metadata.string("general.name", keys.architecture()), h, graph);
  }

  /** Tokens the model was trained for. */
  public int contextLength() {
    return hyperparameters.contextLength();
  }

  /** Width of a row of logits. */
  public int vocabularySize() {
    return hyperparameters.vocabularySize();
  }
}
