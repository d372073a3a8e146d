/**
 * What tests, benchmarks and other modules' tests share: op cases, their tolerances, shared data.
 */
@NullMarked
package dev.ridgeline.testing;

import org.jspecify.annotations.NullMarked;
