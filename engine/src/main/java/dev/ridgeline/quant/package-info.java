/** What a block's bits mean: layout, scalar decode and scalar encode of each weight format. */
@NullMarked
package dev.ridgeline.quant;

import org.jspecify.annotations.NullMarked;
