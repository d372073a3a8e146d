/** The obvious scalar implementation of every op: fallback and oracle, never optimized. */
@NullMarked
package dev.ridgeline.reference;

import org.jspecify.annotations.NullMarked;
