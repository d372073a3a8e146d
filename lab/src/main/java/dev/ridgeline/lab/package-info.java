/** Measurements: benchmarks, the machine's limits, and what share of them was reached. */
@NullMarked
package dev.ridgeline.lab;

import org.jspecify.annotations.NullMarked;
