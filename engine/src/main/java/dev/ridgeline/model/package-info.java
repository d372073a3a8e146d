/** One file an architecture: its hyperparameters and the graph of its forward pass. */
@NullMarked
package dev.ridgeline.model;

import org.jspecify.annotations.NullMarked;
