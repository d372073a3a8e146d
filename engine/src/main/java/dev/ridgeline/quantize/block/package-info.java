/**
 * The best bits for blocks of weights: searches over scales and minimums that make a weighted sum
 * of squared errors small. {@code quant} says what the bits mean.
 */
@NullMarked
package dev.ridgeline.quantize.block;

import org.jspecify.annotations.NullMarked;
