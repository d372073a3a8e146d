/**
 * Bookkeeping of KV blocks in integers: pools, block tables, reference counts, the prefix cache.
 */
@NullMarked
package dev.ridgeline.kvcache;

import org.jspecify.annotations.NullMarked;
