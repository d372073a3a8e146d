/** Ridgeline's engine as a chat model of LangChain4j, in the same process. */
@NullMarked
package dev.ridgeline.langchain4j;

import org.jspecify.annotations.NullMarked;
