package dev.ridgeline.lab.study;

/** Told what a study does. */
public interface StudyProgress {
  /** Hears nothing. */
  StudyProgress NONE = new StudyProgress() {};

  /** What is going on now. */
  default void say(String what) {}

  /** A cell is begun; {@code done} of {@code total} have a result. */
  default void cell(String id, int done, int total) {}

  /** A cell failed. */
  default void failed(String id, String reason) {}

  /** A line of the records is no record and is skipped. */
  default void damaged(int line, String reason) {}

  /** All cells were tried. */
  default void done() {}
}
