/** Texts of a given form: GBNF grammars and JSON schemas as masks over tokens. */
@NullMarked
package dev.ridgeline.sampler.grammar;

import org.jspecify.annotations.NullMarked;
