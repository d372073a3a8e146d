package dev.ridgeline.cli;

/** Output formats; each command names those it has. */
enum Format {
  TEXT,
  JSON,
  CSV,
  MD,
  JSONL,
  SQL
}
