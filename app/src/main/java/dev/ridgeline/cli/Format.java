package dev.ridgeline.cli;

/** How a command prints what it found. */
enum Format {
  TEXT,
  JSON
}
