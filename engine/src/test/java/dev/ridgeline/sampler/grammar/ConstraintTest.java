package dev.ridgeline.sampler.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ridgeline.sampler.TokenMask;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/** Grammars and schemas, on a vocabulary of all bytes and some longer tokens. */
class ConstraintTest {
  private static final List<byte[]> VOCABULARY = vocabulary();
  private static final int END = VOCABULARY.size() - 1;
  private static final TokenTable TOKENS =
      new TokenTable(VOCABULARY.size(), VOCABULARY::get, id -> id != END, new int[] {END});

  private static final int MASK_BYTES = 8 * ((VOCABULARY.size() + 63) / 64);

  private static List<byte[]> vocabulary() {
    var all = new ArrayList<byte[]>();
    for (int b = 0; b < 256; b++) {
      all.add(new byte[] {(byte) b});
    }
    for (String s :
        List.of(
            "{\"", "\":", "\", \"", "true", "tru", "abc", "ab", "é", "日本", "12", "}}", "\"a", "[1,",
            " ")) {
      all.add(s.getBytes(StandardCharsets.UTF_8));
    }
    all.add("</s>".getBytes(StandardCharsets.UTF_8));
    return all;
  }

  private static Constraint gbnf(String grammar) {
    return Constraint.ofGbnf(grammar, TOKENS);
  }

  @SuppressWarnings("unchecked")
  private static Constraint schema(String json) {
    return Constraint.ofSchema(
        new JsonMapper().readValue(json.replace('\'', '"'), LinkedHashMap.class), TOKENS);
  }

  private static Set<Integer> allowed(TokenMask mask) {
    float[] logits = new float[VOCABULARY.size()];
    mask.mask(logits);
    var ids = new HashSet<Integer>();
    for (int id = 0; id < logits.length; id++) {
      if (logits[id] == 0) {
        ids.add(id);
      }
    }
    return ids;
  }

  private static boolean startsSome(Constraint constraint, byte[] prefix, byte[] token) {
    byte[] all = new byte[prefix.length + token.length];
    System.arraycopy(prefix, 0, all, 0, prefix.length);
    System.arraycopy(token, 0, all, prefix.length, token.length);
    // Byte by byte: a text may end inside a character.
    return constraint.canBegin(new String(all, StandardCharsets.ISO_8859_1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " :: ",
      quoteCharacter = '`',
      value = {
        "root ::= \"a\" | \"bc\" :: a,bc :: ab,b",
        "root ::= [a-c]+ :: a,cab :: EMPTY,ad",
        "root ::= [^a-c]* :: EMPTY,xé日 :: xa",
        "root ::= \"x\"{2,3} :: xx,xxx :: x,xxxx",
        "root ::= (\"a\" | \"b\")? \"c\" :: c,ac,bc :: abc,a",
        "root ::= x x\\nx ::= \"1\" | \"2\" :: 11,12 :: 1,123",
        "root ::= \"(\" root? \")\" :: (),((())) :: ((),)(",
        "root ::= . :: a,é,日 :: EMPTY,ab",
        "root ::= \"\\x41\\u00e9\\\"\" # comment :: Aé\" :: A",
      })
  void aGrammarMatchesWhatItSays(String grammar, String good, String bad) {
    Constraint constraint = gbnf(grammar.replace("\\n", "\n"));
    for (String text : good.split(",", -1)) {
      assertThat(constraint.matches(text.replace("EMPTY", ""))).as(text).isTrue();
    }
    for (String text : bad.split(",", -1)) {
      assertThat(constraint.matches(text.replace("EMPTY", ""))).as(text).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "root ::= [a-z]+ (\" \" [a-z]+)* \".\"",
        "root ::= \"é\" | \"日本\" | [^\\x00-\\x7f]{2}",
        "root ::= \"{\\\"\" (\"ab\" | \"abc\")* \"}}\"",
      })
  void theMaskAllowsExactlyTheTokensThatCanComeNext(String grammar) {
    Constraint constraint = gbnf(grammar);
    Constraint oracle = gbnf(bytewise(grammar));
    var random = new Random(1);
    for (int round = 0; round < 30; round++) {
      TokenMask mask = constraint.get();
      byte[] text = new byte[0];
      for (int length = 0; length < 12; length++) {
        Set<Integer> allowed = allowed(mask);
        for (int id = 0; id < END; id++) {
          assertThat(allowed.contains(id))
              .as(
                  "'%s' after '%s'",
                  new String(VOCABULARY.get(id), StandardCharsets.UTF_8),
                  new String(text, StandardCharsets.UTF_8))
              .isEqualTo(startsSome(oracle, text, VOCABULARY.get(id)));
        }
        assertThat(allowed.contains(END))
            .isEqualTo(oracle.matches(new String(text, StandardCharsets.ISO_8859_1)));
        var choices = allowed.stream().filter(id -> id != END).sorted().toList();
        if (choices.isEmpty()) {
          break;
        }
        int id = choices.get(random.nextInt(choices.size()));
        mask.accept(id);
        text = concat(text, VOCABULARY.get(id));
      }
    }
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] all = java.util.Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }

  /** The grammar over Latin-1 texts whose characters are the bytes of the other's UTF-8. */
  private static String bytewise(String grammar) {
    String multi =
        "([\\u00c2-\\u00df] [\\u0080-\\u00bf] | \"\\u00e0\" [\\u00a0-\\u00bf] [\\u0080-\\u00bf]"
            + " | ([\\u00e1-\\u00ec] | [\\u00ee-\\u00ef]) [\\u0080-\\u00bf] [\\u0080-\\u00bf]"
            + " | \"\\u00ed\" [\\u0080-\\u009f] [\\u0080-\\u00bf]"
            + " | \"\\u00f0\" [\\u0090-\\u00bf] [\\u0080-\\u00bf] [\\u0080-\\u00bf]"
            + " | [\\u00f1-\\u00f3] [\\u0080-\\u00bf] [\\u0080-\\u00bf] [\\u0080-\\u00bf]"
            + " | \"\\u00f4\" [\\u0080-\\u008f] [\\u0080-\\u00bf] [\\u0080-\\u00bf])";
    return grammar
        .replace("[^\\x00-\\x7f]", multi)
        .replace("é", "\\u00c3\\u00a9")
        .replace("日本", "\\u00e6\\u0097\\u00a5\\u00e6\\u009c\\u00ac");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'type':'object','properties':{'a':{'type':'integer'},'b':{'type':'string'}},'required':['a']}"
            + " | {'a':1};{ 'a' : -20, 'b': 'x'} | {};{'b':'x'};{'a':1,};{'a':1,'c':2}",
        "{'properties':{'a':{},'b':{}},'required':['b']} | {'b':1};{'a':[{}],'b':null} |"
            + " {'a':1};{'b':1,'a':1}",
        "{'type':'object','properties':{'a':{'type':'null'}},'additionalProperties':{'type':'boolean'}}"
            + " | {};{'a':null};{'x':true};{'a':null,'x':false,'y':true} | {'x':1}",
        "{'type':'array','items':{'type':'number'},'minItems':1,'maxItems':3} | [1];[1.5,-2e3];[1,"
            + " 2, 3] | [];[1,2,3,4];[01]",
        "{'type':'array','items':{'type':'boolean'}} | [];[true, false] | [1]",
        "{'prefixItems':[{'type':'string'},{'type':'integer'}]} | ['a',1] | ['a'];[1,'a']",
        "{'enum':['red','green',3,null]} | 'red';'green';3;null | 'blue';4",
        "{'const':{'a':[1,true]}} | {'a':[1,true]} | {'a':[1]}",
        "{'anyOf':[{'type':'string'},{'type':'null'}]} | 'x';null | 1",
        "{'type':['string','null']} | 'x';null | 1",
        "{'type':'string','minLength':2,'maxLength':3} | 'ab';'日本語';'a\\\\n' | 'a';'abcd'",
        "{'type':'string','pattern':'^[A-Z]{2}-\\\\d+$'} | 'AB-1';'XY-123' | 'ab-1';'AB-';'AB-1x'",
        "{'type':'string','pattern':'b+'} | 'abc';'b' | 'ac'",
        "{'type':'string','format':'date'} | '2026-11-21' | '2026-13-21';'2026-1-1'",
        "{'type':'string','format':'uuid'} | '123e4567-e89b-12d3-a456-426614174000' | '123'",
        "{'type':'integer','minimum':-12,'maximum':105} | -12;-9;0;7;99;100;105 | -13;106;1000;01",
        "{'type':'integer','exclusiveMinimum':0} | 1;9999 | 0;-1",
        "{'$ref':'#/$defs/n','$defs':{'n':{'type':'object','properties':{'next':{'$ref':'#/$defs/n'}}}}}"
            + " | {};{'next':{'next':{}}} | {'next':1}",
        "{'allOf':[{'properties':{'a':{'type':'null'}},'required':['a']},{'properties':{'b':{'type':'null'}}}]}"
            + " | {'a':null,'b':null};{'a':null} | {'b':null}",
        "{} | {};{'a':[1,{'b':'c'}]} | [];1",
      })
  void aSchemaAllowsWhatItSays(String schema, String good, String bad) {
    Constraint constraint = schema(schema);
    for (String text : good.split(";", -1)) {
      assertThat(constraint.matches(text.replace('\'', '"'))).as(text).isTrue();
    }
    for (String text : bad.split(";", -1)) {
      assertThat(constraint.matches(text.replace('\'', '"'))).as(text).isFalse();
    }
  }

  @Test
  void everyIntegerRangeIsExact() {
    var random = new Random(3);
    for (int round = 0; round < 200; round++) {
      int low = random.nextInt(-1200, 1200);
      int high = low + random.nextInt(300);
      Constraint range = gbnf("root ::= " + String.join(" | ", IntegerRange.gbnf(low, high)));
      for (int x :
          new int[] {low - 1, low, low + 1, high - 1, high, high + 1, 0, -low, 10 * high}) {
        assertThat(range.matches(String.valueOf(x)))
            .as("%d in [%d, %d]", x, low, high)
            .isEqualTo(x >= low && x <= high);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "root := \"a\" | line 1, column 6: expected '::='",
        "root ::= x | the rule 'x' is used but not defined",
        "a ::= \"x\" | no rule 'root'",
        "root ::= root \"a\" | begins with itself",
        "root ::= a\\na ::= b? a \"x\"\\nb ::= \"y\" | begins with itself",
        "root ::= (\"\")* \"b\" | begins with itself",
        "root ::= \"abc | ends in a literal",
        "root ::= [z-a] | this range is empty",
        "root ::= \"\\q\" | escape is not known",
        "root ::= (\"a\" | expected ')'",
        "root ::= \"a\"{3,2} | m <= n",
      })
  void aBrokenGrammarIsRefusedWithItsPlace(String grammar, String message) {
    assertThatThrownBy(() -> gbnf(grammar.replace("\\n", "\n")))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'not':{}} | at 'schema' uses 'not'",
        "{'properties':{'a':{'multipleOf':2}}} | at 'schema.a' uses 'multipleOf'",
        "{'type':'string','pattern':'(?=a)'} | a group that cannot be enforced",
        "{'type':'string','pattern':'(a'} | closing parenthesis",
        "{'$ref':'http://example.org/x'} | expected a reference into the schema itself",
        "{'$ref':'#/nothing'} | is not there",
        "{'required':['x'],'properties':{'y':{}}} | requires 'x'",
        "{'type':'float'} | unknown type",
        "{'type':'number','maximum':3} | cannot be enforced",
        "{'enum':[]} | allows nothing",
        "{'type':'integer','minimum':5,'maximum':4} | allows nothing",
      })
  void aSchemaThatCannotBeEnforcedIsRefused(String json, String message) {
    assertThatThrownBy(() -> schema(json))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining(message);
  }

  @Test
  void deepSchemasAndPatternsThatWouldBacktrackAreHarmless() {
    var deep = new StringBuilder();
    for (int i = 0; i < 80; i++) {
      deep.append("{'items':");
    }
    assertThatThrownBy(() -> schema(deep + "{}" + "}".repeat(80)))
        .hasMessageContaining("nested too deeply");
    Constraint evil = schema("{'type':'string','pattern':'^(a+)+$'}");
    assertThat(evil.matches("\"" + "a".repeat(2000) + "\"")).isTrue();
    assertThat(evil.matches("\"" + "a".repeat(2000) + "b\"")).isFalse();
  }

  @Test
  void anythingMayComeUntilTheTrigger() {
    TokenMask mask = gbnf("root ::= \"<call>\" [0-9]+ \"</call>\"").after("<call>").get();
    for (char c : "Well <cal <call>".toCharArray()) {
      assertThat(allowed(mask)).hasSize(VOCABULARY.size());
      mask.accept(c);
    }
    assertThat(allowed(mask)).hasSize(11).contains((int) '7').doesNotContain((int) 'a', END);
    for (char c : "42</call>".toCharArray()) {
      mask.accept(c);
    }
    assertThat(allowed(mask)).containsExactly(END);
  }

  @Test
  void masksOfOneConstraintDoNotDisturbEachOther() {
    Constraint constraint = gbnf("root ::= \"abc\" | \"xyz\"");
    TokenMask one = constraint.get();
    TokenMask other = constraint.get();
    one.accept('a');
    other.accept('x');
    assertThat(allowed(one)).containsExactly((int) 'b');
    assertThat(allowed(other)).containsExactly((int) 'y');
  }

  @Test
  void randomTextsUnderASchemaAreJsonOfThatForm() {
    Constraint constraint =
        schema(
            "{'type':'object','properties':{'name':{'type':'string','maxLength':8},'tags':"
                + "{'type':'array','items':{'enum':['a','b']},'maxItems':3}},"
                + "'required':['name','tags']}");
    var random = new Random(5);
    for (int round = 0; round < 40; round++) {
      TokenMask mask = constraint.get();
      byte[] text = new byte[0];
      for (int i = 0; i < 2000; i++) {
        List<Integer> ids = allowed(mask).stream().sorted().toList();
        int id = ids.get(random.nextInt(ids.size()));
        mask.accept(id);
        if (id == END) {
          break;
        }
        text = concat(text, VOCABULARY.get(id));
      }
      var node = new JsonMapper().readTree(text);
      assertThat(Map.of("name", true, "tags", true).keySet())
          .containsExactlyInAnyOrderElementsOf(node.propertyNames());
      assertThat(node.get("name").isString()).isTrue();
      assertThat(node.get("tags").size()).isLessThanOrEqualTo(3);
    }
  }

  @Test
  @Timeout(60)
  void masksAreWorkedOutBeforeTheStepThreadAsksForThem() throws InterruptedException {
    Constraint constraint = schema("{'type': 'array', 'items': {'type': 'integer'}}");
    long none = constraint.bytes();
    TokenMask mask = constraint.get();
    long first = constraint.bytes();
    assertThat(first).as("by whoever asks").isGreaterThan(none);
    allowed(mask);
    assertThat(constraint.bytes()).isEqualTo(first);
    mask.accept('[');
    while (constraint.bytes() < first + MASK_BYTES) {
      Thread.sleep(1); // by a thread of its own
    }
    assertThat(allowed(mask)).contains((int) ']', (int) '7').doesNotContain((int) '[', END);
  }

  @Test
  @Timeout(60)
  void manyRequestsOfOneFormSeeTheSameMasks() throws InterruptedException {
    String json = "{'type': 'object', 'properties': {'a': {'type': 'string'}}, 'required': ['a']}";
    byte[] text = "{\"a\":\"xyz é\"}".getBytes(StandardCharsets.UTF_8);
    List<Set<Integer>> expected = masksAlong(schema(json), text);
    Constraint shared = schema(json);
    var seen = new ConcurrentLinkedQueue<List<Set<Integer>>>();
    var threads = new ArrayList<Thread>();
    for (int i = 0; i < 8; i++) {
      threads.add(Thread.startVirtualThread(() -> seen.add(masksAlong(shared, text))));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(seen).hasSize(8).allMatch(expected::equals);
  }

  private static List<Set<Integer>> masksAlong(Constraint constraint, byte[] text) {
    TokenMask mask = constraint.get();
    var all = new ArrayList<Set<Integer>>();
    for (byte b : text) {
      all.add(allowed(mask));
      mask.accept(b & 0xFF);
    }
    all.add(allowed(mask));
    return all;
  }
}
