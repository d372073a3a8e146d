/** Statistics of repeated measurements. */
@NullMarked
package dev.ridgeline.lab.stats;

import org.jspecify.annotations.NullMarked;
