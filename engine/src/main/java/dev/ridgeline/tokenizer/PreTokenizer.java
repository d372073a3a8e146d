package dev.ridgeline.tokenizer;

import dev.ridgeline.gguf.Metadata;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts text into the words within which byte-level BPE joins bytes, by the rule that {@code
 * tokenizer.ggml.pre} names: one or more regular expressions, each applied to the segments that the
 * one before it left; what matches is a segment, and so is what lies between matches.
 *
 * <p>The expressions are those of the tokenizers published with the models. The reference engine
 * approximates some of them: in {@code tekken} and {@code gpt-4o} it takes any letter beyond ASCII
 * for both an upper- and a lower-case one and breaks words at combining marks, and in {@code
 * deepseek-llm} and {@code deepseek-coder} it reads white space beyond ASCII as a vertical tab.
 * They are not rewritten so here, because the models were trained with the published rule.
 *
 * <p>No expression repeats a group other than possessively, which {@link Pattern} runs as a loop: a
 * greedy one recurses, and a megabyte of spaces would overflow the stack.
 */
final class PreTokenizer {
  static final String KEY = "tokenizer.ggml.pre";

  /** Receives a word of the text being split. */
  interface Words {
    void word(int from, int to);
  }

  private static final String CONTRACTION = "'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])";
  private static final String BEFORE = "[^\\r\\n\\p{L}\\p{N}]?";
  private static final String LETTERS = BEFORE + "\\p{L}+";
  private static final String MARKS = " ?[^\\s\\p{L}\\p{N}]+";
  private static final String MARKS_AND_LINES = MARKS + "[\\r\\n]*";
  private static final String LINES = "\\s*[\\r\\n]+";
  private static final String SPACES = "\\s+(?!\\S)|\\s+";

  private static final String GPT2 =
      either("'(?:[stmd]|re|ve|ll)", " ?\\p{L}+", " ?\\p{N}+", MARKS, SPACES);

  private static final String UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";

  private static final String HAN_TO_HANGUL = "[\\u4E00-\\u9FA5\\u0800-\\u4E00\\uAC00-\\uD7FF]+";

  /**
   * Letters beyond ASCII that have case, as deepseek-llm lists them; without the later blocks of
   * Unicode.
   */
  private static final String CASED =
      "\\u00B5\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u01BA\\u01BC-\\u01BF\\u01C4-\\u0293"
          + "\\u0295-\\u02AF\\u0370-\\u0373\\u0376\\u0377\\u037B-\\u037D\\u037F\\u0386\\u0388-\\u038A"
          + "\\u038C\\u038E-\\u03A1\\u03A3-\\u03F5\\u03F7-\\u0481\\u048A-\\u052F\\u0531-\\u0556"
          + "\\u10A0-\\u10C5\\u13A0-\\u13F5\\u13F8-\\u13FD\\u1C90-\\u1CBA\\u1CBD-\\u1CBF\\u1D00-\\u1D2B"
          + "\\u1D6B-\\u1D77\\u1D79-\\u1D9A\\u1E00-\\u1F15\\u1F18-\\u1F1D\\u1F20-\\u1F45\\u1F48-\\u1F4D"
          + "\\u1F50-\\u1F57\\u1F59\\u1F5B\\u1F5D\\u1F5F-\\u1F7D\\u1F80-\\u1FB4\\u1FB6-\\u1FBC\\u1FBE"
          + "\\u1FC2-\\u1FC4\\u1FC6-\\u1FCC\\u1FD0-\\u1FD3\\u1FD6-\\u1FDB\\u1FE0-\\u1FEC\\u1FF2-\\u1FF4"
          + "\\u1FF6-\\u1FFC\\u2102\\u2107\\u210A-\\u2113\\u2115\\u2119-\\u211D\\u2124\\u2126\\u2128"
          + "\\u212A-\\u212D\\u212F-\\u2134\\u2139\\u213C-\\u213F\\u2145-\\u2149\\u214E\\u2183\\u2184"
          + "\\u2C00-\\u2C7B\\u2C7E-\\u2CE4\\u2CEB-\\u2CEE\\u2CF2\\u2CF3\\uA640-\\uA66D\\uA680-\\uA69B"
          + "\\uA722-\\uA76F\\uA771-\\uA787\\uA78B-\\uA78E\\uAB70-\\uABBF\\uFB00-\\uFB06\\uFB13-\\uFB17"
          + "\\uFF21-\\uFF3A\\uFF41-\\uFF5A\\x{10400}-\\x{1044F}\\x{104B0}-\\x{104D3}"
          + "\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}\\x{10CC0}-\\x{10CF2}\\x{118A0}-\\x{118DF}"
          + "\\x{1E900}-\\x{1E943}";

  private static final Map<String, Rule> RULES = new HashMap<>();

  static {
    Rule gpt2 = new Rule(GPT2);
    add(gpt2, "gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "gigachat");
    add(gpt2, "jina-es", "jina-de", "jina-v1-en", "jina-v2-es", "jina-v2-de", "jina-v2-code");
    add(gpt2, "roberta-bpe", "modern-bert", "a.x-4.0", "mellum", "exaone4");

    Rule digitByDigit = new Rule("\\p{N}", GPT2);
    add(digitByDigit, "starcoder", "refact", "command-r", "smollm", "codeshell", "exaone");
    add(digitByDigit, "minerva-7b", "mellum2");

    Rule llama3 = new Rule(words("\\p{N}{1,3}"));
    add(llama3, "dbrx", "smaug-bpe", "chatglm-bpe");
    add(llama3.takingWholeWords(), "glm4");
    Rule llama3WithBos = llama3.takingWholeWords().beginningWithBos();
    add(llama3WithBos, "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral");
    add(llama3WithBos, "midm-2.0", "lfm2", "jina-v5-nano");

    Rule qwen2 = new Rule(words("\\p{N}"));
    add(qwen2, "qwen2", "deepseek-r1-qwen", "stablelm2", "megrez", "hunyuan", "grok-2");
    add(qwen2, "solar-open", "kormo", "f2llmv2");
    add(new Rule("[^\\n]+|\\n+", words("\\p{N}")), "laguna");
    add(new Rule(either(LETTERS, "\\p{N}", MARKS_AND_LINES, LINES, SPACES)), "ufakzeka");
    Rule minicpm5 = new Rule("\\p{N}{1,3}", words("\\p{N}+"));
    add(minicpm5.takingWholeWords(), "minicpm5");

    Rule gpt4o = new Rule(cased("(?:" + CONTRACTION + ")?", "\\p{N}{1,3}"));
    add(gpt4o, "gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2");
    Rule tekken = new Rule(cased("", "\\p{N}"));
    add(tekken.takingWholeWords().beginningWithBos(), "tekken");

    Rule deepseek =
        new Rule(
            "[\\r\\n]",
            "\\s?(?:[A-Za-z]++|[" + CASED + "])++", // twice as fast on English as one class
            "\\s?[!-/:-~\\uFF01-\\uFF0F\\uFF1A-\\uFF5E\\u2018-\\u201F\\u3000-\\u3002]+",
            "(?<!\\s)\\s++\\z", // \s+ at the end, without trying each space before others in turn
            HAN_TO_HANGUL,
            "\\p{N}+");
    add(deepseek, "deepseek-llm");
    Rule deepseekCoder =
        new Rule("[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", HAN_TO_HANGUL, "\\p{N}");
    add(deepseekCoder, "deepseek-coder");
    Rule deepseekV3 =
        new Rule(
            "\\p{N}{1,3}",
            "[\\u4E00-\\u9FA5\\u3040-\\u30FF]+",
            either(
                "[!-/:-@\\[-`{-~][A-Za-z]+",
                "[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+",
                " ?[\\p{P}\\p{S}]+[\\r\\n]*",
                LINES,
                SPACES));
    add(deepseekV3, "deepseek-v3", "hunyuan-dense", "hy_v4", "joyai-llm");

    add(new Rule("[\\p{P}$+<=>^~|`]+", GPT2, "[0-9]{3}"), "falcon");
    add(new Rule("[\\p{P}$+<=>^~|]+", GPT2, "\\p{N}+", "[0-9]{3}"), "default");
    String bloom = " ?[^(\\s|.,!?\\u2026\\u3002\\uFF0C\\u3001\\u0964\\u06D4\\u060C)]+";
    add(new Rule(bloom), "bloom", "poro-chat", "gpt3-finnish");
    add(new Rule(bloom, "\\p{N}"), "viking");
    addVariants();
  }

  /** Rules that differ from Llama's in a detail. */
  private static void addVariants() {
    String withMarks = BEFORE + "[\\p{L}\\p{M}]+";
    String noMarks = " ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*";
    add(new Rule(either(CONTRACTION, withMarks, "\\p{N}", noMarks, LINES, SPACES)), "qwen35");
    String noLines = " ?[^\\s\\p{L}\\p{N}\\r\\n]+";
    add(new Rule(either(CONTRACTION, LETTERS, "\\p{N}", noLines, LINES, SPACES)), "seed-coder");
    String line = "\\s*[\\r\\n]";
    Rule bailing = new Rule(either(CONTRACTION, LETTERS, "\\p{N}", MARKS_AND_LINES, line, SPACES));
    add(bailing, "bailingmoe", "bailingmoe2", "llada-moe");
    // A phrase stays together: a letter, then letters, marks, and spaces before letters.
    String phrase = BEFORE + "\\p{L}(?:[\\p{L}\\p{M}]| (?=\\p{L}))*+";
    String marksAndLine = MARKS + "[\\r\\n/]?";
    Rule exaone = new Rule(either(CONTRACTION, phrase, "\\p{N}", marksAndLine, line, SPACES));
    add(exaone, "exaone-moe");
    StringBuilder powers = new StringBuilder();
    for (int n = 512; n >= 4; n /= 2) {
      powers.append("\\s{").append(n).append("}(?!\\S)|");
    }
    String spaces = powers.append("\\s{1,2}(?!\\S)|\\s").toString();
    Rule jais2 =
        new Rule(either(CONTRACTION, LETTERS, "\\p{N}{1,3}", MARKS_AND_LINES, LINES, spaces));
    add(jais2, "jais-2");
    String sentinel = "<sentinel:[0-9]+>";
    String image = "IMGIMG[A-I]{1,4}Z";
    String punctuation = "[\\p{P}!-/:-@\\[-`{-~]";
    Rule chameleon = new Rule(sentinel, image, "[\\t\\n]|    |  ", "\\p{N}", punctuation, GPT2);
    add(chameleon.beginningWithBos(), "chameleon");
  }

  /** Words as Llama 3 and its relatives cut them: with the character before them, numbers apart. */
  private static String words(String digits) {
    return either(CONTRACTION, LETTERS, digits, MARKS_AND_LINES, LINES, SPACES);
  }

  /** Words that also end where lower case turns to upper. */
  private static String cased(String suffix, String digits) {
    String lower = BEFORE + UPPER + "*" + LOWER + "+" + suffix;
    String upper = BEFORE + UPPER + "+" + LOWER + "*" + suffix;
    return either(lower, upper, digits, MARKS + "[\\r\\n/]*", LINES, SPACES);
  }

  private static String either(String... alternatives) {
    return String.join("|", alternatives);
  }

  private static void add(Rule rule, String... names) {
    for (String name : names) {
      RULES.put(name, rule);
    }
  }

  /**
   * What a name stands for.
   *
   * @param expressions applied one after the other
   * @param wholeWords whether a word that is a token is taken whole, whatever the merges say
   * @param addBos whether text begins with BOS unless the file says otherwise
   */
  private record Rule(List<String> expressions, boolean wholeWords, boolean addBos) {
    Rule(String... expressions) {
      this(List.of(expressions), false, false);
    }

    Rule takingWholeWords() {
      return new Rule(expressions, true, addBos);
    }

    Rule beginningWithBos() {
      return new Rule(expressions, wholeWords, true);
    }
  }

  private final Rule rule;
  private final List<Pattern> stages;

  private PreTokenizer(Rule rule) {
    this.rule = rule;
    stages =
        rule.expressions.stream()
            .map(expression -> Pattern.compile(expression, Pattern.UNICODE_CHARACTER_CLASS))
            .toList();
  }

  /** The rule that the file names, {@code default} if it names none; refuses unknown names. */
  static PreTokenizer of(Metadata metadata, Vocabulary vocabulary) {
    String name = metadata.string(KEY, "default");
    Rule rule = RULES.get(name);
    if (rule == null) {
      throw vocabulary.refuse(
          KEY, "is '%s'; supported: %s".formatted(name, String.join(", ", names())));
    }
    return new PreTokenizer(rule);
  }

  /** Every known name, in alphabetical order. */
  static SortedSet<String> names() {
    return new TreeSet<>(RULES.keySet());
  }

  boolean wholeWords() {
    return rule.wholeWords;
  }

  boolean addBos() {
    return rule.addBos;
  }

  /** Hands the words of {@code text} to {@code words}, in order; together they are the text. */
  void split(String text, Words words) {
    List<Matcher> matchers = new ArrayList<>();
    for (Pattern stage : stages) {
      matchers.add(stage.matcher(text));
    }
    split(matchers, 0, 0, text.length(), words);
  }

  private static void split(List<Matcher> matchers, int stage, int from, int to, Words words) {
    if (stage == matchers.size()) {
      words.word(from, to);
      return;
    }
    Matcher matcher = matchers.get(stage).region(from, to);
    int end = from;
    while (matcher.find()) {
      if (matcher.start() > end) {
        split(matchers, stage + 1, end, matcher.start(), words);
      }
      end = matcher.end();
      split(matchers, stage + 1, matcher.start(), end, words);
    }
    if (end < to) {
      split(matchers, stage + 1, end, to, words);
    }
  }
}
