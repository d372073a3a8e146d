/**
 * What the CPU backend and its product kernels agree on: packed activations, one band of rows, one
 * call. Kernels of any make (Vector API, machine code) stand behind {@link
 * dev.ridgeline.cpu.kernel.ProductKernel}.
 */
@NullMarked
package dev.ridgeline.cpu.kernel;

import org.jspecify.annotations.NullMarked;
