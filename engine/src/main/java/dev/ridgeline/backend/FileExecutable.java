package dev.ridgeline.backend;

import dev.ridgeline.gguf.GgufFile;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * An executable whose weights are read where a file is mapped. All work that may read them runs
 * inside {@link GgufFile#reading}, so that a file which another program truncates or writes
 * meanwhile ends the work with one line, not the process.
 */
public final class FileExecutable implements Executable {
  private final GgufFile file;
  private final Executable executable;
  private final Supplier<Boolean> runStep = this::runStep;
  private final Supplier<Boolean> startStep = this::startStep;
  private @Nullable Step step;

  private FileExecutable(GgufFile file, Executable executable) {
    this.file = file;
    this.executable = executable;
  }

  /**
   * What {@code compile} makes of the weights in {@code file}.
   *
   * @throws dev.ridgeline.gguf.GgufException if the file was truncated or is being written; as do
   *     the steps
   */
  public static Executable of(GgufFile file, Supplier<Executable> compile) {
    return new FileExecutable(file, file.reading(compile));
  }

  @Override
  public Capacity capacity() {
    return executable.capacity();
  }

  @Override
  public int vocabularySize() {
    return executable.vocabularySize();
  }

  @Override
  public void run(Step next) {
    step = next;
    file.reading(runStep);
  }

  private boolean runStep() {
    executable.run(Objects.requireNonNull(step));
    return true;
  }

  @Override
  public boolean runsAhead() {
    return executable.runsAhead();
  }

  @Override
  public void start(Step next) {
    step = next;
    file.reading(startStep);
  }

  private boolean startStep() {
    executable.start(Objects.requireNonNull(step));
    return true;
  }

  @Override
  public void startNext(Step next) {
    executable.startNext(next); // who runs ahead has the weights on a device
  }

  @Override
  public void await() {
    executable.await();
  }

  @Override
  public void logits(int output, float[] into) {
    executable.logits(output, into);
  }

  @Override
  public int argmax(int output) {
    return executable.argmax(output);
  }

  @Override
  public int fewTokens() {
    return executable.fewTokens();
  }

  @Override
  public int choice(int output) {
    return executable.choice(output);
  }

  @Override
  public int leastTop() {
    return executable.leastTop();
  }

  @Override
  public int top(int output, int[] ids, float[] values) {
    return executable.top(output, ids, values);
  }

  @Override
  public StepProfile profile(Step next) {
    return file.reading(() -> executable.profile(next));
  }

  @Override
  public void close() {
    executable.close();
  }
}
