package dev.ridgeline.scheduler;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * The tokens of one request as they come. Tokens wait here until somebody takes them, however long
 * that takes: a slow reader never holds up the engine. Read by one thread; {@link #cancel} and
 * {@link #close} may come from any.
 */
public final class TokenStream implements Iterable<Token>, AutoCloseable {
  private final ArrayDeque<Token> queue = new ArrayDeque<>();
  private final Runnable wakeEngine;
  private volatile boolean cancelled;
  private volatile boolean started;
  private @Nullable RequestStats stats;
  private @Nullable GenerationException failure;

  /**
   * Everything a request gave.
   *
   * @param text all of it
   * @param tokens in order
   * @param stats what became of the request
   */
  public record Completion(String text, List<Token> tokens, RequestStats stats) {
    /** Keeps a copy of the list. */
    public Completion {
      tokens = List.copyOf(tokens);
    }

    /** The generated ids, the one that ended the text included. */
    public int[] ids() {
      return tokens.stream().mapToInt(Token::id).filter(id -> id != Token.NONE).toArray();
    }
  }

  TokenStream(Runnable wakeEngine) {
    this.wakeEngine = wakeEngine;
  }

  /**
   * Whether another token comes; waits until that is known.
   *
   * @throws GenerationException if the request failed, after the last token it gave
   */
  public boolean hasNext() {
    return awaitNext(null);
  }

  /**
   * The next token; waits for it.
   *
   * @throws NoSuchElementException at the end
   * @throws GenerationException if the request failed
   */
  public Token next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the request is over");
    }
    synchronized (queue) {
      return queue.remove();
    }
  }

  /**
   * Waits until {@link #hasNext} would answer at once.
   *
   * @return whether that is so; false if {@code atMost} passed
   */
  public boolean await(Duration atMost) {
    synchronized (queue) {
      waitUntilDecided(atMost);
      return isDecided();
    }
  }

  private boolean awaitNext(@Nullable Duration atMost) {
    synchronized (queue) {
      waitUntilDecided(atMost);
      if (queue.isEmpty() && failure != null) {
        throw failure;
      }
      return !queue.isEmpty();
    }
  }

  private boolean isDecided() {
    return !queue.isEmpty() || stats != null;
  }

  /** Waits on the queue's monitor, which the caller holds. */
  private void waitUntilDecided(@Nullable Duration atMost) {
    long end = atMost == null ? 0 : System.nanoTime() + atMost.toNanos();
    try {
      while (!isDecided()) {
        long millis = atMost == null ? 0 : (end - System.nanoTime() + 999_999) / 1_000_000;
        if (atMost != null && millis <= 0) {
          return;
        }
        queue.wait(millis);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      cancel();
      throw new GenerationException("interrupted while waiting for a token", e);
    }
  }

  /** The tokens that were not taken yet; like {@link #hasNext} and {@link #next}. */
  @Override
  public Iterator<Token> iterator() {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return TokenStream.this.hasNext();
      }

      @Override
      public Token next() {
        return TokenStream.this.next();
      }
    };
  }

  /**
   * Waits for the end and returns the tokens that were not taken yet.
   *
   * @throws GenerationException if the request failed
   */
  public Completion collect() {
    var text = new StringBuilder();
    var tokens = new ArrayList<Token>();
    for (Token token : this) {
      tokens.add(token);
      text.append(token.text());
    }
    return new Completion(text.toString(), tokens, stats());
  }

  /** What became of the request; waits for the end, of which the tokens need not be taken. */
  public RequestStats stats() {
    synchronized (queue) {
      try {
        while (stats == null) {
          queue.wait();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new GenerationException("interrupted while waiting for the end of a request", e);
      }
      return stats;
    }
  }

  /** Ends the request within a step; does nothing if it is over. */
  public void cancel() {
    cancelled = true;
    wakeEngine.run();
  }

  /** {@link #cancel}. */
  @Override
  public void close() {
    cancel();
  }

  /** Whether the request has left the queue. */
  public boolean isStarted() {
    return started;
  }

  /** Whether the request has ended; tokens may still wait to be taken. */
  public boolean isOver() {
    synchronized (queue) {
      return stats != null;
    }
  }

  void start() {
    started = true;
  }

  boolean isCancelled() {
    return cancelled;
  }

  void add(Token token) {
    synchronized (queue) {
      queue.add(token);
      queue.notifyAll();
    }
  }

  void finish(RequestStats result, @Nullable GenerationException why) {
    synchronized (queue) {
      stats = result;
      failure = why;
      queue.notifyAll();
    }
  }
}
