package dev.ridgeline.sampler.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A context-free grammar over bytes: rules of alternatives of elements, an element being a range of
 * bytes or a rule. Immutable.
 *
 * @param code elements one after the other; each alternative ends with {@link #END}
 * @param alternatives for each rule, where its alternatives begin in {@code code}
 * @param root the rule that a whole text must match
 */
record Grammar(int[] code, int[][] alternatives, int root) {
  static final int END = 0;
  private static final int KIND = 3;
  private static final int RULE = 1;
  private static final int BYTES = 2;
  private static final int MAX_ELEMENTS = 400_000;

  static boolean isRule(int element) {
    return (element & KIND) == RULE;
  }

  static int rule(int element) {
    return element >> 2;
  }

  static boolean matches(int element, int b) {
    return b >= element >> 10 && b <= (element >> 2 & 0xFF);
  }

  private static int rangeElement(int low, int high) {
    return (low << 8 | high) << 2 | BYTES;
  }

  /** Collects rules, by name, in any order. */
  static final class Builder {
    private final Map<String, Integer> ids = new HashMap<>();
    private final List<String> names = new ArrayList<>();
    private final List<List<int[]>> rules = new ArrayList<>();
    private final Map<CharSet, Integer> classes = new HashMap<>();
    private int elements;

    /** The number of the rule called {@code name}, which may be defined later. */
    int rule(String name) {
      return ids.computeIfAbsent(name, n -> add(n));
    }

    /** A rule without a name. */
    int newRule() {
      return add("");
    }

    private int add(String name) {
      names.add(name);
      rules.add(null);
      return rules.size() - 1;
    }

    boolean isDefined(int rule) {
      return rules.get(rule) != null;
    }

    /** Gives {@code rule} its alternatives: elements without {@link Grammar#END}. */
    void define(int rule, List<int[]> alternatives) {
      for (int[] alternative : alternatives) {
        elements += alternative.length + 1;
      }
      if (elements > MAX_ELEMENTS) {
        throw new GrammarException(
            "the grammar is too large: expected at most %d elements, with repetitions written out"
                .formatted(MAX_ELEMENTS));
      }
      rules.set(rule, alternatives);
    }

    static int[] element(int rule) {
      return new int[] {rule << 2 | RULE};
    }

    /** Exactly these bytes. */
    static int[] bytes(byte[] bytes) {
      int[] elements = new int[bytes.length];
      for (int i = 0; i < bytes.length; i++) {
        elements[i] = rangeElement(bytes[i] & 0xFF, bytes[i] & 0xFF);
      }
      return elements;
    }

    /** One character of {@code set}. */
    int[] charElement(CharSet set) {
      Integer known = classes.get(set);
      if (known == null) {
        known = newRule();
        classes.put(set, known);
        var alternatives = new ArrayList<int[]>();
        for (int[] sequence : set.utf8()) {
          int[] elements = new int[sequence.length / 2];
          for (int i = 0; i < elements.length; i++) {
            elements[i] = rangeElement(sequence[2 * i], sequence[2 * i + 1]);
          }
          alternatives.add(elements);
        }
        define(known, alternatives);
      }
      return element(known);
    }

    /**
     * The grammar.
     *
     * @throws GrammarException if a rule is missing, or begins with itself
     */
    Grammar build(int root) {
      for (int i = 0; i < rules.size(); i++) {
        if (rules.get(i) == null) {
          throw new GrammarException("the rule '" + names.get(i) + "' is used but not defined");
        }
      }
      new LeftRecursion(rules, names).check();
      int[] code = new int[elements];
      int[][] alternatives = new int[rules.size()][];
      int at = 0;
      for (int r = 0; r < alternatives.length; r++) {
        List<int[]> of = rules.get(r);
        alternatives[r] = new int[of.size()];
        for (int a = 0; a < of.size(); a++) {
          alternatives[r][a] = at;
          System.arraycopy(of.get(a), 0, code, at, of.get(a).length);
          at += of.get(a).length + 1;
        }
      }
      return new Grammar(Arrays.copyOf(code, at), alternatives, root);
    }
  }

  /** Finds rules whose text may begin with their own: such a rule never gets on. */
  private static final class LeftRecursion {
    private final List<List<int[]>> rules;
    private final List<String> names;
    private final boolean[] nullable;
    private final byte[] seen;

    LeftRecursion(List<List<int[]>> rules, List<String> names) {
      this.rules = rules;
      this.names = names;
      nullable = new boolean[rules.size()];
      seen = new byte[rules.size()];
    }

    void check() {
      boolean changed = true;
      while (changed) {
        changed = false;
        for (int r = 0; r < nullable.length; r++) {
          if (!nullable[r] && rules.get(r).stream().anyMatch(this::isNullable)) {
            nullable[r] = true;
            changed = true;
          }
        }
      }
      for (int r = 0; r < seen.length; r++) {
        visit(r, 0);
      }
    }

    private boolean isNullable(int[] alternative) {
      return Arrays.stream(alternative).allMatch(e -> isRule(e) && nullable[rule(e)]);
    }

    private void visit(int r, int depth) {
      if (seen[r] == 2) {
        return;
      }
      if (seen[r] == 1) {
        throw new GrammarException("the rule '" + names.get(r) + "' begins with itself");
      }
      if (depth > 2000) {
        throw new GrammarException("the grammar's rules are nested too deeply");
      }
      seen[r] = 1;
      for (int[] alternative : rules.get(r)) {
        for (int element : alternative) {
          if (!isRule(element)) {
            break;
          }
          visit(rule(element), depth + 1);
          if (!nullable[rule(element)]) {
            break;
          }
        }
      }
      seen[r] = 2;
    }
  }
}
