package dev.ridgeline.model;

import dev.ridgeline.tensor.DType;
import dev.ridgeline.tensor.Shape;

/**
 * The named mixes of weight formats that released files use: most tensors have the format of the
 * name, those whose errors hurt most a better one.
 *
 * <p>Source: {@code llama-quant.cpp}.
 */
public enum FileType {
  F32(0, DType.F32),
  F16(1, DType.F16),
  BF16(32, DType.BF16),
  Q4_0(2, DType.Q4_0),
  Q4_1(3, DType.Q4_1),
  Q5_0(8, DType.Q5_0),
  Q5_1(9, DType.Q5_1),
  Q8_0(7, DType.Q8_0),
  Q2_K(10, DType.Q2_K),
  Q3_K_S(11, DType.Q3_K),
  Q3_K_M(12, DType.Q3_K),
  Q3_K_L(13, DType.Q3_K),
  Q4_K_S(14, DType.Q4_K),
  Q4_K_M(15, DType.Q4_K),
  Q5_K_S(16, DType.Q5_K),
  Q5_K_M(17, DType.Q5_K),
  Q6_K(18, DType.Q6_K),
  IQ4_NL(25, DType.IQ4_NL),
  IQ4_XS(30, DType.IQ4_XS),
  /** Experts in MXFP4, the rest in Q8_0, as gpt-oss was released. */
  MXFP4(38, DType.MXFP4);

  /**
   * What the mixes depend on besides the tensor.
   *
   * @param layers transformer layers
   * @param headsPerKv query heads that share a key head
   * @param experts experts of a layer; 0 = none
   * @param tied whether the token embedding is the output matrix too
   * @param importance whether an importance matrix will guide the choice of bits
   */
  public record Traits(int layers, int headsPerKv, int experts, boolean tied, boolean importance) {
    /** Without an importance matrix. */
    public Traits(int layers, int headsPerKv, int experts, boolean tied) {
      this(layers, headsPerKv, experts, tied, false);
    }

    private boolean is70b() {
      return layers == 80 && headsPerKv == 8;
    }
  }

  private static final int SUPER_BLOCK = 256;

  private final int id;
  private final DType base;

  FileType(int id, DType base) {
    this.id = id;
    this.base = base;
  }

  /** {@code general.file_type}. */
  public int id() {
    return id;
  }

  /** The format of the matrix {@code name}. */
  public DType typeOf(String name, Shape shape, Traits model) {
    // A router decides by small differences and is small itself.
    if (this == F32 || name.endsWith("ffn_gate_inp.weight")) {
      return DType.F32;
    }
    return fitting(wantedTypeOf(name, shape, model), shape);
  }

  /** What {@link #typeOf} would be if rows always filled blocks. */
  public DType wantedTypeOf(String name, Shape shape, Traits model) {
    return base.isQuantized() ? mixed(name, shape, model) : base;
  }

  /**
   * {@code wanted}, or what stands in for it where rows do not fill its blocks: a format of blocks
   * of 32, or F16.
   */
  public static DType fitting(DType wanted, Shape shape) {
    DType type = shape.ne0() % wanted.blockElements() == 0 ? wanted : inSmallBlocks(wanted);
    return shape.ne0() % type.blockElements() == 0 ? type : DType.F16;
  }

  private DType mixed(String name, Shape shape, Traits model) {
    if (name.equals("output.weight") || (model.tied() && name.equals("token_embd.weight"))) {
      boolean small = shape.ne0() % SUPER_BLOCK != 0;
      return this == Q8_0 || this == MXFP4 || small ? DType.Q8_0 : DType.Q6_K;
    }
    if (this == MXFP4) {
      return shape.ne2() > 1 ? DType.MXFP4 : DType.Q8_0;
    }
    String[] parts = name.split("\\.", 3);
    if (!parts[0].equals("blk")) {
      return base;
    }
    int layer = Integer.parseInt(parts[1]);
    return switch (parts[2]) {
      case "attn_v.weight", "attn_qkv.weight" -> attnV(layer, model);
      case "attn_k.weight" -> model.experts() == 8 ? DType.Q8_0 : base;
      case "attn_output.weight" -> attnOutput(model);
      case "ffn_down.weight", "ffn_down_exps.weight" -> ffnDown(layer, model);
      default -> base;
    };
  }

  private DType attnV(int layer, Traits model) {
    if (model.experts() == 8) {
      return DType.Q8_0;
    }
    DType type =
        switch (this) {
          case Q2_K -> model.headsPerKv() >= 4 ? DType.Q4_K : DType.Q3_K;
          case Q3_K_M -> layer < 2 ? DType.Q5_K : DType.Q4_K;
          case Q3_K_L -> DType.Q5_K;
          case Q4_K_S -> layer < 4 ? DType.Q5_K : base;
          case Q4_K_M, Q5_K_M -> needsMoreBits(layer, model.layers()) ? DType.Q6_K : base;
          case IQ4_NL, IQ4_XS -> model.headsPerKv() >= 4 ? DType.Q5_K : base;
          default -> base;
        };
    // Eight query heads share each value head: a better format costs next to nothing.
    return model.is70b() && (type == DType.Q3_K || type == DType.Q4_K) ? DType.Q5_K : type;
  }

  private DType attnOutput(Traits model) {
    if (model.experts() == 8) {
      return switch (this) {
        case Q2_K, Q3_K_S, Q3_K_M, Q4_K_S, Q4_K_M, IQ4_NL, IQ4_XS -> DType.Q5_K;
        default -> base;
      };
    }
    return switch (this) {
      case Q2_K -> DType.Q3_K;
      case Q3_K_M -> DType.Q4_K;
      case Q3_K_L -> DType.Q5_K;
      default -> base;
    };
  }

  private DType ffnDown(int layer, Traits model) {
    int n = model.layers();
    return switch (this) {
      case Q2_K -> DType.Q3_K;
      case Q3_K_M -> layer < n / 16 ? DType.Q5_K : DType.Q4_K;
      case Q3_K_L -> DType.Q5_K;
      case Q4_K_S -> layer < n / 8 ? DType.Q5_K : base;
      case IQ4_NL, IQ4_XS -> layer < n / 8 && !model.importance() ? DType.Q5_K : base;
      case Q4_0 -> layer < n / 8 && model.importance() ? DType.Q4_1 : base;
      case Q5_0 -> layer < n / 8 && model.importance() ? DType.Q5_1 : base;
      case Q4_K_M, Q5_K_M -> needsMoreBits(layer, n) ? DType.Q6_K : base;
      default -> base;
    };
  }

  /** The first and the last eighth of the layers, and every third one between. */
  private static boolean needsMoreBits(int layer, int layers) {
    int eighth = layers / 8;
    return layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2;
  }

  /** What stands in where rows do not fill super-blocks of 256. */
  private static DType inSmallBlocks(DType type) {
    return switch (type) {
      case Q2_K, Q3_K -> DType.Q4_0;
      case IQ4_XS -> DType.IQ4_NL;
      case Q4_K -> DType.Q5_0;
      case Q5_K -> DType.Q5_1;
      case Q6_K -> DType.Q8_0;
      default -> DType.F16;
    };
  }
}
