/** Functions of the C library, where the JDK has none for what they do. */
@NullMarked
package dev.ridgeline.os;

import org.jspecify.annotations.NullMarked;
