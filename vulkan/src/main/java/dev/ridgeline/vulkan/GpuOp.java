package dev.ridgeline.vulkan;

import dev.ridgeline.backend.ActivationPlan;
import dev.ridgeline.graph.KvLayer;
import dev.ridgeline.graph.Op;
import dev.ridgeline.graph.RopeParams;
import dev.ridgeline.graph.Value;
import dev.ridgeline.graph.Weight;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the device runs as one or a few dispatches: one op of the graph, or several. */
sealed interface GpuOp extends ActivationPlan.Stage {
  /** The ops of the graph that it computes. */
  List<Op> ops();

  /** One op as it is. */
  record Plain(Op op) implements GpuOp {
    @Override
    public List<Value> inputs() {
      return op.inputs();
    }

    @Override
    public List<Value> outputs() {
      return op.outputs();
    }

    @Override
    public List<Op> ops() {
      return List.of(op);
    }
  }

  /**
   * A norm over whole rows that only one product reads: {@code s = a}, or {@code s = a + b *
   * scale}, or with {@code post} {@code s = a + RmsNorm(b, post) * scale}; then {@code out =
   * RmsNorm(s, weight)}.
   *
   * @param sum s, where it is stored
   * @param posted {@code RmsNorm(b, post)}, which is stored only where no kernel does it all at
   *     once
   */
  record Norm(
      Value a,
      @Nullable Value b,
      @Nullable Weight post,
      float scale,
      Weight weight,
      float eps,
      @Nullable Value sum,
      @Nullable Value posted,
      Value out,
      List<Op> ops) {
    /** {@code NORM} of {@code include/norm.glsl}. */
    int mode() {
      return b == null ? 1 : post == null ? 2 : 3;
    }
  }

  /**
   * The products of one input, with the norm that makes this input.
   *
   * @param product {@link Op.MatMul} or {@link Op.GatedMatMul}
   */
  record Products(@Nullable Norm norm, Op product) implements GpuOp {
    @Override
    public List<Value> inputs() {
      if (norm == null) {
        return product.inputs();
      }
      return norm.b == null ? List.of(norm.a) : List.of(norm.a, norm.b);
    }

    @Override
    public List<Value> outputs() {
      var all = new ArrayList<Value>();
      if (norm != null) {
        all.add(norm.out);
        if (norm.sum != null) {
          all.add(norm.sum);
        }
        if (norm.posted != null) {
          all.add(norm.posted);
        }
      }
      all.addAll(product.outputs());
      return all;
    }

    /** What the products read. */
    Value x() {
      return product.inputs().getFirst();
    }

    @Override
    public List<Op> ops() {
      var all = new ArrayList<Op>();
      if (norm != null) {
        all.addAll(norm.ops);
      }
      all.add(product);
      return all;
    }
  }

  /**
   * Everything between the products of Q, K and V and attention: norms of heads, rotations, and K
   * and V into the cache.
   */
  record Heads(
      Value q,
      Value k,
      Value v,
      @Nullable Weight qNorm,
      @Nullable Weight kNorm,
      float eps,
      RopeParams params,
      Op.Rope rope,
      KvLayer layer,
      Value out,
      List<Op> ops) {
    List<Value> inputs() {
      return List.of(q, k, v);
    }
  }

  /** Attention with the heads that it reads. */
  record Attend(Heads heads, Op.Attention attention) implements GpuOp {
    @Override
    public List<Value> inputs() {
      return heads.inputs();
    }

    @Override
    public List<Value> outputs() {
      return List.of(heads.out, attention.out());
    }

    @Override
    public List<Op> ops() {
      var all = new ArrayList<>(heads.ops);
      all.add(attention);
      return all;
    }
  }
}
