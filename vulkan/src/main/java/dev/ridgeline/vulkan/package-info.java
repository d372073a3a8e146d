/** Runs graphs on a Vulkan device: op to shader, bindings, dispatch. */
@NullMarked
package dev.ridgeline.vulkan;

import org.jspecify.annotations.NullMarked;
