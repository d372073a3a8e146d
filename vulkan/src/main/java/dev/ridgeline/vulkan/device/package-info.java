/** Typed Vulkan for compute, without a word of machine learning; the only importer of LWJGL. */
@NullMarked
package dev.ridgeline.vulkan.device;

import org.jspecify.annotations.NullMarked;
