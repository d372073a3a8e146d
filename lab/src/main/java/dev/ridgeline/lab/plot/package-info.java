/** Charts as files. */
@NullMarked
package dev.ridgeline.lab.plot;

import org.jspecify.annotations.NullMarked;
