/** Micro-benchmarks of single ops, run by hand: {@code dev/jmh}. */
@NullMarked
package dev.ridgeline.jmh;

import org.jspecify.annotations.NullMarked;
