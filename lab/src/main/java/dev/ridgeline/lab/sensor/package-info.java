/** Temperatures and clocks, where the machine has sensors for them. */
@NullMarked
package dev.ridgeline.lab.sensor;

import org.jspecify.annotations.NullMarked;
