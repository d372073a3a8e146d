/** What a backend promises: compile a graph, run a step, keep the KV bytes. */
@NullMarked
package dev.ridgeline.backend;

import org.jspecify.annotations.NullMarked;
