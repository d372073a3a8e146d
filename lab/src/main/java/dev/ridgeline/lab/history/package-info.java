/** All runs of this user, in an embedded database. */
@NullMarked
package dev.ridgeline.lab.history;

import org.jspecify.annotations.NullMarked;
