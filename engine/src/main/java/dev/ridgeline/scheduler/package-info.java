/** Admit, batch, step, preempt, finish; and the facade {@code Engine} that programs embed. */
@NullMarked
package dev.ridgeline.scheduler;

import org.jspecify.annotations.NullMarked;
