/** Chat templates: the Jinja that model files carry, rendered as Python's Jinja2 renders it. */
@NullMarked
package dev.ridgeline.tokenizer.template;

import org.jspecify.annotations.NullMarked;
