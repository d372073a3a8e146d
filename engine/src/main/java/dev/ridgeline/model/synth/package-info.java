/** Models of released shapes with random weights, to measure and test without a download. */
@NullMarked
package dev.ridgeline.model.synth;

import org.jspecify.annotations.NullMarked;
