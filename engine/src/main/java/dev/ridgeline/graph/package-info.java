/** The op vocabulary: what a model computes, with the shapes, bytes and FLOPs of each op. */
@NullMarked
package dev.ridgeline.graph;

import org.jspecify.annotations.NullMarked;
