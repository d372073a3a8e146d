/** What a tensor is: element types, shapes and typed views of memory. */
@NullMarked
package dev.ridgeline.tensor;

import org.jspecify.annotations.NullMarked;
