/** Studies: one model, several quantizations, measured cell by cell and kept record by record. */
@NullMarked
package dev.ridgeline.lab.study;

import org.jspecify.annotations.NullMarked;
