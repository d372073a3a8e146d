/**
 * The command line: one class a command, nothing computed here that the engine or the lab could.
 */
@NullMarked
package dev.ridgeline.cli;

import org.jspecify.annotations.NullMarked;
