/**
 * Product kernels as machine code: a small x86-64 assembler, the executable memory it fills, and
 * the kernels written with it (AVX-512 VNNI and AMX), for what the Vector API cannot express.
 */
@NullMarked
package dev.ridgeline.cpu.machine;

import org.jspecify.annotations.NullMarked;
