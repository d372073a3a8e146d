/** Kernels on the Vector API, all written for one vector width that is fixed when a JVM starts. */
@NullMarked
package dev.ridgeline.cpu.vector;

import org.jspecify.annotations.NullMarked;
