/* SPDX-License-Identifier: Apache-2.0 */
/* The first words of a text that nobody expected, for a message. */
#ifndef CLIENT_REGISTRY_WORDS_H
#define CLIENT_REGISTRY_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* As much of such a text as a message can take. */
enum { WORDS_SIZE = 128 };

/* Whether the text is written for a browser. */
bool words_are_a_page(const char *text, size_t len);

/*
 * The first words, with one blank between two of them and control characters as
 * '?'; "..." ends them where there are more. Of a text that begins with '<',
 * only what stands between tags counts, and of that no scripts and styles. ""
 * if there are none.
 */
void words_read(const char *text, size_t len, char out[WORDS_SIZE]);

#endif
