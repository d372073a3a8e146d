/** The CPU backend: a pool of threads that walk a list of stages, kernels on the Vector API. */
@NullMarked
package dev.ridgeline.cpu;

import org.jspecify.annotations.NullMarked;
