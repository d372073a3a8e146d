/**
 * GGUF files, versions 2 and 3, whole or split: bytes to metadata and tensor views, and back. Knows
 * no model.
 */
@NullMarked
package dev.ridgeline.gguf;

import org.jspecify.annotations.NullMarked;
