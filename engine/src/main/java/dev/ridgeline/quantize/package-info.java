/**
 * From one model file to a smaller one: which tensor gets which format, and the best bits for it.
 */
@NullMarked
package dev.ridgeline.quantize;

import org.jspecify.annotations.NullMarked;
