/** Tests of the scheduler, on an executable whose logits depend on all that a sequence can see. */
@NullMarked
package dev.ridgeline.scheduler;

import org.jspecify.annotations.NullMarked;
