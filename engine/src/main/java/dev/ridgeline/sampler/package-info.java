/** Logits to token id: pure, seeded, composable. */
@NullMarked
package dev.ridgeline.sampler;

import org.jspecify.annotations.NullMarked;
