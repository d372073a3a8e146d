package dev.ridgeline.sampler.grammar;

import dev.ridgeline.sampler.TokenMask;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A form that texts must have, ready for a vocabulary: each {@link #get} gives the mask of one
 * request. What one request has worked out serves the others, so a constraint is worth keeping. May
 * be made by any thread; its masks run on the step thread of one engine.
 *
 * <p>The first mask of a state walks the vocabulary, which takes milliseconds where that is large.
 * The first one of a request is walked by the thread that asks for it, a later one on a thread of
 * its own while the step runs that it is for; the step thread waits for what is left of it.
 */
public final class Constraint implements Supplier<TokenMask> {
  /** Guards itself and its states. */
  private final Machine machine;

  private final TokenTable tokens;

  private Constraint(Grammar grammar, TokenTable tokens) {
    machine = new Machine(grammar, tokens);
    this.tokens = tokens;
  }

  /**
   * Texts that match the rule {@code root} of a grammar in llama.cpp's notation.
   *
   * @throws GrammarException if it cannot be parsed, with line and column
   */
  public static Constraint ofGbnf(String grammar, TokenTable tokens) {
    return new Constraint(GbnfParser.parse(grammar), tokens);
  }

  /**
   * JSON texts that a schema allows; see {@link JsonSchema}.
   *
   * @throws GrammarException if it uses what cannot be enforced
   */
  public static Constraint ofSchema(Map<String, ?> schema, TokenTable tokens) {
    return ofGbnf(JsonSchema.toGbnf(schema), tokens);
  }

  /** About how much memory it has come to take; from any thread. */
  public long bytes() {
    return machine.bytes();
  }

  /** Whether {@code text} is whole; for tests and tools. */
  public boolean matches(String text) {
    return after(text.getBytes(StandardCharsets.UTF_8)).accepting;
  }

  /** Whether some whole text begins with {@code text}; as {@link #matches}. */
  public boolean canBegin(String text) {
    return !after(text.getBytes(StandardCharsets.UTF_8)).isDead();
  }

  private Machine.State after(byte[] text) {
    synchronized (machine) {
      return machine.start().after(text);
    }
  }

  @Override
  public TokenMask get() {
    var mask = new Mask(new byte[0]);
    mask.bits();
    return mask;
  }

  /**
   * A mask that lets everything pass until the text contains {@code trigger}; from there on, the
   * trigger included, it must match.
   */
  public Supplier<TokenMask> after(String trigger) {
    byte[] bytes = trigger.getBytes(StandardCharsets.UTF_8);
    return () -> new Mask(bytes);
  }

  private final class Mask implements TokenMask {
    private final byte[] trigger;
    private final byte[] held;
    private int heldCount;
    private boolean active;
    private boolean ended;
    private Machine.@Nullable State state;

    Mask(byte[] trigger) {
      this.trigger = trigger;
      active = trigger.length == 0;
      held = new byte[2 * trigger.length + tokens.longest];
    }

    private Machine.State state() {
      if (state == null) {
        state = machine.start();
      }
      return state;
    }

    private long[] bits() {
      synchronized (machine) {
        return state().mask();
      }
    }

    @Override
    public void mask(float[] logits) {
      if (!active || ended) {
        return;
      }
      long[] bits = bits();
      int size = Math.min(tokens.size(), logits.length);
      for (int word = 0; word < bits.length; word++) {
        long allowed = bits[word];
        int from = word << 6;
        int to = Math.min(size, from + 64);
        if (allowed == 0) {
          Arrays.fill(logits, Math.min(from, to), to, Float.NEGATIVE_INFINITY);
        } else if (allowed != -1) {
          for (int id = from; id < to; id++) {
            if ((allowed >>> id & 1) == 0) {
              logits[id] = Float.NEGATIVE_INFINITY;
            }
          }
        }
      }
    }

    @Override
    public void accept(int token) {
      if (tokens.isEnd(token)) {
        ended = true;
        return;
      }
      synchronized (machine) {
        if (active) {
          state = state().after(tokens.bytes(token));
        } else {
          look(tokens.bytes(token));
        }
        if (active && !state().hasMask()) {
          walkAhead(state());
        }
      }
    }

    private void walkAhead(Machine.State next) {
      Thread.startVirtualThread(
          () -> {
            synchronized (machine) {
              next.mask();
            }
          });
    }

    /** Looks for the trigger in the end of the text. */
    private void look(byte[] more) {
      System.arraycopy(more, 0, held, heldCount, more.length);
      heldCount += more.length;
      for (int at = 0; at + trigger.length <= heldCount; at++) {
        if (Arrays.equals(held, at, at + trigger.length, trigger, 0, trigger.length)) {
          state = state().after(Arrays.copyOfRange(held, at, heldCount));
          // A token may run past the trigger into what cannot come: then there is no way back.
          active = !state.isDead();
          return;
        }
      }
      int keep = Math.min(heldCount, trigger.length - 1);
      System.arraycopy(held, heldCount - keep, held, 0, keep);
      heldCount = keep;
    }
  }
}
