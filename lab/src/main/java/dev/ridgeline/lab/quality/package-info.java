/** How good a model is at predicting text, and how far it strays from another. */
@NullMarked
package dev.ridgeline.lab.quality;

import org.jspecify.annotations.NullMarked;
