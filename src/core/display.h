/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAI_DISPLAY_H
#define CAI_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>

/* Text of foreign origin (names, messages, paths) made fit for a terminal. A terminal obeys control characters, C1 in
 * UTF-8 among them; characters that set the direction reorder what stands beside them; characters of no width make two
 * names look alike; marks in great number are drawn over the lines above. */

/* Cleans text in place and returns its new length, which is never larger: C0, DEL and C1 become blanks; characters that
 * set the direction, have no width or end a line (U+2028, U+2029), combining marks without a character to stand on or
 * behind six others, and bytes that are not UTF-8, become '?'; variation selectors are removed. `lines`: line feeds and
 * tabs stay, as text of our own has them. */
size_t cai_display_clean(char *text, size_t length, bool lines);

/* Returns the cells of a terminal that clean text takes: 2 for wide characters, 0 for combining ones. */
size_t cai_display_cells(const char *text, size_t length);

/* Bytes that cai_display_escape may make of one. */
#define CAI_DISPLAY_GROWTH ((size_t)6)

/* Writes JSON text so that it is UTF-8 and loses nothing: what cai_display_clean would change is written as \uXXXX, and
 * bytes that are not UTF-8 as U+FFFD. Line feeds stay. Returns the length; `out` has room for CAI_DISPLAY_GROWTH times
 * `length`. */
size_t cai_display_escape(char *out, const char *json, size_t length);

#endif
