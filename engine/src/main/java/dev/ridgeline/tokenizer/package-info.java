/**
 * Text to token ids and back, from the vocabulary in a GGUF file: SentencePiece BPE, byte-level
 * BPE, WordPiece and Unigram.
 */
@NullMarked
package dev.ridgeline.tokenizer;

import org.jspecify.annotations.NullMarked;
