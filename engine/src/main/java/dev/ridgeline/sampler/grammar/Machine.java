package dev.ridgeline.sampler.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Reads a text byte by byte along a grammar, in all ways at once: a state is the set of stacks that
 * the text so far can have led to. States, their successors and the tokens they allow are worked
 * out when they are first needed and kept, so that the second string in a JSON text costs next to
 * nothing. Not thread-safe.
 */
final class Machine {
  private static final int MAX_STATES = 8192;
  private static final int MAX_MASKS = 512;

  private final Grammar grammar;
  private final TokenTable tokens;
  private final Map<Long, Node> nodes = new HashMap<>();
  private final Map<List<Integer>, State> states = new HashMap<>();
  private final State[] path;
  private final AtomicLong bytes = new AtomicLong();

  private int nodeIds;
  private int masks;
  private @Nullable State start;

  /** What to match next, and where to go on after the rule that it belongs to. */
  private record Node(int id, int at, @Nullable Node parent) {}

  /** All ways to go on. */
  final class State {
    private final Node[] ways;
    final boolean accepting;
    private final @Nullable State[] next = new State[256];
    private long @Nullable [] mask;

    private State(Node[] ways, boolean accepting) {
      this.ways = ways;
      this.accepting = accepting;
    }

    boolean isDead() {
      return ways.length == 0 && !accepting;
    }

    /** The state after {@code b}; a dead one where it cannot come. */
    State after(int b) {
      State known = next[b];
      if (known == null) {
        known = step(this, b);
        next[b] = known;
      }
      return known;
    }

    State after(byte[] bytes) {
      State state = this;
      for (byte b : bytes) {
        state = state.after(b & 0xFF);
      }
      return state;
    }

    boolean hasMask() {
      return mask != null;
    }

    /** A bit for each token that can come next. */
    long[] mask() {
      if (mask == null) {
        if (++masks > MAX_MASKS) {
          forget();
        }
        mask = allowed(this);
        bytes.addAndGet(8L * mask.length);
      }
      return mask;
    }
  }

  Machine(Grammar grammar, TokenTable tokens) {
    this.grammar = grammar;
    this.tokens = tokens;
    path = new State[tokens.longest + 1];
  }

  State start() {
    if (start == null) {
      var closure = new Closure();
      for (int at : grammar.alternatives()[grammar.root()]) {
        closure.add(at, null);
      }
      start = closure.state();
    }
    return start;
  }

  /** Drops what was kept; states in use go on with copies. */
  private void forget() {
    nodes.clear();
    states.clear();
    start = null;
    masks = 0;
    bytes.set(0);
  }

  /** About how much memory the states kept take; from any thread. */
  long bytes() {
    return bytes.get();
  }

  private State step(State from, int b) {
    var closure = new Closure();
    for (Node way : from.ways) {
      if (Grammar.matches(grammar.code()[way.at], b)) {
        closure.add(way.at + 1, way.parent);
      }
    }
    return closure.state();
  }

  private Node node(int at, @Nullable Node parent) {
    long key = (long) at << 32 | (parent == null ? 0xFFFFFFFFL : parent.id);
    return nodes.computeIfAbsent(key, _ -> new Node(nodeIds++, at, parent));
  }

  /** Goes through rules and ends of rules until bytes are next. */
  private final class Closure {
    private final ArrayDeque<Node> open = new ArrayDeque<>();
    private final HashSet<Integer> seen = new HashSet<>();
    private final List<Node> ways = new ArrayList<>();
    private boolean accepting;

    void add(int at, @Nullable Node parent) {
      push(at, parent);
      while (!open.isEmpty()) {
        Node node = open.pop();
        int element = grammar.code()[node.at];
        if (element == Grammar.END) {
          if (node.parent == null) {
            accepting = true;
          } else {
            push(node.parent.at, node.parent.parent);
          }
        } else if (Grammar.isRule(element)) {
          // Nothing after it: its end is our end. Keeps the stack of a loop from growing.
          boolean last = grammar.code()[node.at + 1] == Grammar.END;
          Node back = last ? node.parent : node(node.at + 1, node.parent);
          for (int alternative : grammar.alternatives()[Grammar.rule(element)]) {
            push(alternative, back);
          }
        } else {
          ways.add(node);
        }
      }
    }

    private void push(int at, @Nullable Node parent) {
      Node node = node(at, parent);
      if (seen.add(node.id)) {
        open.push(node);
      }
    }

    State state() {
      int[] ids = ways.stream().mapToInt(Node::id).sorted().toArray();
      var key = new ArrayList<Integer>(ids.length + 1);
      key.add(accepting ? -1 : -2);
      Arrays.stream(ids).forEach(key::add);
      if (states.size() > MAX_STATES) {
        forget();
      }
      return states.computeIfAbsent(
          key,
          _ -> {
            // 256 references and what leads to them; a node and its entry are 100 bytes.
            bytes.addAndGet(1300 + 100L * ways.size());
            return new State(ways.toArray(Node[]::new), accepting);
          });
    }
  }

  private long[] allowed(State state) {
    long[] bits = new long[(tokens.size() + 63) / 64];
    int dead = Integer.MAX_VALUE;
    path[0] = state;
    boolean any = false;
    for (int i = 0; i < tokens.sorted.length; i++) {
      int common = tokens.common[i];
      if (common > dead) {
        continue; // begins like the one before, which cannot come
      }
      int id = tokens.sorted[i];
      byte[] bytes = tokens.bytes(id);
      dead = Integer.MAX_VALUE;
      for (int at = common; at < bytes.length; at++) {
        State next = path[at].after(bytes[at] & 0xFF);
        if (next.isDead()) {
          dead = at;
          break;
        }
        path[at + 1] = next;
      }
      if (dead == Integer.MAX_VALUE) {
        bits[id >> 6] |= 1L << id;
        any = true;
      }
    }
    // Where the vocabulary cannot spell what the grammar wants, the text has to end.
    if (state.accepting || !any) {
      for (int id : tokens.ends()) {
        bits[id >> 6] |= 1L << id;
      }
    }
    return bits;
  }
}
