package dev.ridgeline.model.synth;

import dev.ridgeline.gguf.MetadataType;
import dev.ridgeline.gguf.MetadataValue;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * A released model without its weights, from one line of the table below.
 *
 * @param name what people call it
 * @param architecture {@code general.architecture}
 * @param vocabularySize tokens
 * @param tokenizer {@code spm}, or the pre-tokenizer of a byte-level BPE
 * @param keys hyperparameters without the architecture's prefix
 * @param options {@code tied}, {@code rope_freqs=factor/original context}, {@code longrope}
 */
record Shape(
    String name,
    String architecture,
    int vocabularySize,
    String tokenizer,
    Map<String, MetadataValue> keys,
    Map<String, String> options) {

  /** Sizes from the published configurations; tiny ones exercise an architecture in tests. */
  private static final String TABLE =
"""
# name            architecture layers width   ffn heads kv head  vocab   context tokenizer  and what is particular
tiny-llama          llama           3   256   512    4  2   64    512     512 spm
tiny-llama-3        llama           3   256   512    4  2   64    512     512 llama-bpe  tied base=500000.0 rope_freqs=8/64
tiny-llama-linear   llama           3   256   512    4  2   64    512     512 spm        rope.scaling.type=linear rope.scaling.factor=4.0
tiny-llama-yarn     llama           3   256   512    4  2   64    512     512 spm        rope.scaling.type=yarn rope.scaling.factor=4.0 rope.scaling.original_context_length=64
tiny-mixtral        llama           3   256   512    4  2   64    512     512 spm        experts=4/2
tiny-qwen2          qwen2           3   256   512    4  2   64    512     512 qwen2      eps=1e-6
tiny-qwen3          qwen3           3   256   512    4  2   96    512     512 qwen2      tied eps=1e-6 base=1000000.0
tiny-qwen3moe       qwen3moe        3   256   512    4  2   64    512     512 qwen2      eps=1e-6 base=1000000.0 experts=8/3/256
tiny-gemma2         gemma2          4   256   512    4  2   64    512     512 spm        tied eps=1e-6 window=16 attn_logit_softcapping=3.0 final_logit_softcapping=5.0
tiny-gemma3         gemma3          7   256   512    4  2   64    512     512 spm        tied eps=1e-6 window=16 base=1000000.0 rope.scaling.type=linear rope.scaling.factor=8.0
tiny-phi3           phi3            3   256   512    4  4   64    512     512 spm        longrope rope.dimension_count=48 rope.scaling.original_context_length=512
tiny-phi3-long      phi3            3   256   512    4  2   64    512     512 spm        longrope rope.scaling.attn_factor=1.19 rope.scaling.original_context_length=64
tiny-granite        granite         3   256   512    4  2   64    512     512 refact     tied embedding_scale=6.0 residual_scale=0.5 attention.scale=0.25 logit_scale=2.0
tiny-gpt-oss        gpt-oss         4   256   256    4  2   64    512     512 gpt-4o     base=150000.0 window=16 experts=4/2/256 rope.scaling.type=yarn rope.scaling.factor=8.0 rope.scaling.original_context_length=64
llama-7b            llama          32  4096 11008   32 32  128  32000    4096 spm
llama-13b           llama          40  5120 13824   40 40  128  32000    4096 spm
llama-1b            llama          16  2048  8192   32  8   64 128256  131072 llama-bpe  tied base=500000.0 rope_freqs=32/8192
llama-3b            llama          28  3072  8192   24  8  128 128256  131072 llama-bpe  tied base=500000.0 rope_freqs=32/8192
llama-8b            llama          32  4096 14336   32  8  128 128256  131072 llama-bpe  base=500000.0 rope_freqs=8/8192
llama-70b           llama          80  8192 28672   64  8  128 128256  131072 llama-bpe  base=500000.0 rope_freqs=8/8192
mistral-7b          llama          32  4096 14336   32  8  128  32768   32768 spm        base=1000000.0
mixtral-8x7b        llama          32  4096 14336   32  8  128  32000   32768 spm        base=1000000.0 experts=8/2
qwen2-0.5b          qwen2          24   896  4864   14  2   64 151936   32768 qwen2      tied eps=1e-6 base=1000000.0
qwen2-7b            qwen2          28  3584 18944   28  4  128 152064   32768 qwen2      eps=1e-6 base=1000000.0
qwen3-0.6b          qwen3          28  1024  3072   16  8  128 151936   40960 qwen2      tied eps=1e-6 base=1000000.0
qwen3-4b            qwen3          36  2560  9728   32  8  128 151936   40960 qwen2      tied eps=1e-6 base=1000000.0
qwen3-8b            qwen3          36  4096 12288   32  8  128 151936   40960 qwen2      eps=1e-6 base=1000000.0
qwen3-30b-a3b       qwen3moe       48  2048  6144   32  4  128 151936   40960 qwen2      eps=1e-6 base=1000000.0 experts=128/8/768
gemma2-2b           gemma2         26  2304  9216    8  4  256 256000    8192 spm        tied eps=1e-6 window=4096 attn_logit_softcapping=50.0 final_logit_softcapping=30.0
gemma2-9b           gemma2         42  3584 14336   16  8  256 256000    8192 spm        tied eps=1e-6 window=4096 attn_logit_softcapping=50.0 final_logit_softcapping=30.0
gemma2-27b          gemma2         46  4608 36864   32 16  128 256000    8192 spm        tied eps=1e-6 window=4096 attn_logit_softcapping=50.0 final_logit_softcapping=30.0
gemma3-270m         gemma3         18   640  2048    4  1  256 262144   32768 spm        tied eps=1e-6 window=512 base=1000000.0
gemma3-1b           gemma3         26  1152  6912    4  1  256 262144   32768 spm        tied eps=1e-6 window=512 base=1000000.0
gemma3-4b           gemma3         34  2560 10240    8  4  256 262144  131072 spm        tied eps=1e-6 window=1024 base=1000000.0 rope.scaling.type=linear rope.scaling.factor=8.0
gemma3-12b          gemma3         48  3840 15360   16  8  256 262144  131072 spm        tied eps=1e-6 window=1024 base=1000000.0 rope.scaling.type=linear rope.scaling.factor=8.0
gemma3-27b          gemma3         62  5376 21504   32 16  128 262144  131072 spm        tied eps=1e-6 window=1024 base=1000000.0 rope.scaling.type=linear rope.scaling.factor=8.0
phi3-mini           phi3           32  3072  8192   32 32   96  32064    4096 spm        window=2047
phi3-mini-128k      phi3           32  3072  8192   32 32   96  32064  131072 spm        window=262144 longrope rope.scaling.attn_factor=1.190238 rope.scaling.original_context_length=4096
phi4                phi3           40  5120 17920   40 10  128 100352   16384 gpt-4o     base=250000.0
granite-2b          granite        40  2048  8192   32  8   64  49155  131072 refact     tied base=5000000.0 embedding_scale=12.0 residual_scale=0.22 attention.scale=0.015625 logit_scale=8.0
granite-8b          granite        40  4096 12800   32  8  128  49155  131072 refact     tied base=10000000.0 embedding_scale=12.0 residual_scale=0.22 attention.scale=0.0078125 logit_scale=16.0
gpt-oss-20b         gpt-oss        24  2880  2880   64  8   64 201088  131072 gpt-4o     base=150000.0 window=128 experts=32/4/2880 rope.scaling.type=yarn rope.scaling.factor=32.0 rope.scaling.original_context_length=4096
gpt-oss-120b        gpt-oss        36  2880  2880   64  8   64 201088  131072 gpt-4o     base=150000.0 window=128 experts=128/4/2880 rope.scaling.type=yarn rope.scaling.factor=32.0 rope.scaling.original_context_length=4096
""";

  private static final Map<String, String> ABBREVIATIONS =
      Map.of(
          "base", "rope.freq_base",
          "eps", "attention.layer_norm_rms_epsilon",
          "window", "attention.sliding_window");
  private static final Set<String> OPTIONS = Set.of("tied", "rope_freqs", "longrope");
  private static final Pattern SPACE = Pattern.compile(" +");
  private static final Map<String, Shape> ALL = parse();

  /** Every shape's name, in the table's order. */
  static List<String> names() {
    return List.copyOf(ALL.keySet());
  }

  /**
   * The shape called {@code name}.
   *
   * @throws IllegalArgumentException if there is none
   */
  static Shape named(String name) {
    Shape shape = ALL.get(name);
    if (shape == null) {
      throw new IllegalArgumentException(
          "there is no shape '%s'; there are %s".formatted(name, String.join(", ", names())));
    }
    return shape;
  }

  private static Map<String, Shape> parse() {
    var all = new LinkedHashMap<String, Shape>();
    TABLE
        .lines()
        .filter(l -> !l.startsWith("#"))
        .map(Shape::parse)
        .forEach(s -> all.put(s.name, s));
    return all;
  }

  private static Shape parse(String line) {
    List<String> columns = SPACE.splitAsStream(line).toList();
    var keys = new LinkedHashMap<String, MetadataValue>();
    put(keys, "block_count", columns.get(2));
    put(keys, "context_length", columns.get(9));
    put(keys, "embedding_length", columns.get(3));
    put(keys, "feed_forward_length", columns.get(4));
    put(keys, "attention.head_count", columns.get(5));
    put(keys, "attention.head_count_kv", columns.get(6));
    put(keys, "attention.key_length", columns.get(7));
    put(keys, "attention.value_length", columns.get(7));
    put(keys, "attention.layer_norm_rms_epsilon", "1e-5");
    put(keys, "rope.dimension_count", columns.get(7));
    put(keys, "rope.freq_base", "10000.0");
    put(keys, "vocab_size", columns.get(8));
    var options = new TreeMap<String, String>();
    for (String extra : columns.subList(11, columns.size())) {
      int equals = extra.indexOf('=');
      String key = equals < 0 ? extra : extra.substring(0, equals);
      String value = extra.substring(equals + 1);
      if (OPTIONS.contains(key)) {
        options.put(key, value);
      } else if (key.equals("experts")) {
        putExperts(keys, value);
      } else {
        put(keys, ABBREVIATIONS.getOrDefault(key, key), value);
      }
    }
    return new Shape(
        columns.get(0),
        columns.get(1),
        Integer.parseInt(columns.get(8)),
        columns.get(10),
        keys,
        options);
  }

  /** {@code count/used} or {@code count/used/width}. */
  private static void putExperts(Map<String, MetadataValue> keys, String value) {
    List<String> parts = Pattern.compile("/").splitAsStream(value).toList();
    put(keys, "expert_count", parts.get(0));
    put(keys, "expert_used_count", parts.get(1));
    if (parts.size() > 2) {
      put(keys, "expert_feed_forward_length", parts.get(2));
    }
  }

  private static void put(Map<String, MetadataValue> keys, String key, String value) {
    MetadataValue typed;
    if (value.matches("\\d+")) {
      typed = new MetadataValue.Int(MetadataType.UINT32, Long.parseLong(value));
    } else if (value.matches("[\\d.]+(e-\\d+)?")) {
      typed = new MetadataValue.Real(MetadataType.FLOAT32, Float.parseFloat(value));
    } else {
      typed = new MetadataValue.Text(value);
    }
    keys.put(key, typed);
  }
}
