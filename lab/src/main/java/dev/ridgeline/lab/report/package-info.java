/** What a study's records say: tables, plots, pages, decisions. Every figure cites its records. */
@NullMarked
package dev.ridgeline.lab.report;

import org.jspecify.annotations.NullMarked;
