/** The HTTP server: protocol records, routes, SSE; what operators need; the web page. */
@NullMarked
package dev.ridgeline.server;

import org.jspecify.annotations.NullMarked;
