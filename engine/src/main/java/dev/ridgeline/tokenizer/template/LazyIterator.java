package dev.ridgeline.tokenizer.template;

import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** The elements of another iterator, changed or left out, each when it is asked for. */
final class LazyIterator implements Iterator<Object> {
  /** Null leaves the element out. */
  interface Step {
    @Nullable Object apply(Object element);
  }

  private final Iterator<Object> source;
  private final Step step;
  private @Nullable Object ready;

  LazyIterator(Iterator<Object> source, Step step) {
    this.source = source;
    this.step = step;
  }

  @Override
  public boolean hasNext() {
    while (ready == null && source.hasNext()) {
      ready = step.apply(source.next());
    }
    return ready != null;
  }

  @Override
  public Object next() {
    if (!hasNext() || ready == null) {
      throw new NoSuchElementException();
    }
    Object element = ready;
    ready = null;
    return element;
  }
}
