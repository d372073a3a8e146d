package dev.ridgeline.cli;

/** How a command prints what is a table. */
enum TableFormat {
  TEXT,
  JSON,
  JSONL,
  CSV,
  MD,
  SQL
}
