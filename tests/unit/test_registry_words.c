/* SPDX-License-Identifier: Apache-2.0 */
/* The words of texts that nobody expected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answer/words.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* In a piece of memory of its own, so that a read past its end is seen. */
static void read_exactly(const char *text, size_t len, char out[WORDS_SIZE],
    bool *page)
{
	char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	memset(out, 'x', WORDS_SIZE);
	words_read(copy, len, out);
	*page = words_are_a_page(copy, len);
	free(copy);
}

static void texts(void **state)
{
	static const struct {
		const char *text, *words;
		bool page;
	} cases[] = {
	    {"", "", false},
	    {" \r\n\t", "", false},
	    {"{}", "{}", false},
	    {" two\n\n words ", "two words", false},
	    {"a < b > c", "a < b > c", false},
	    {"\x1b[31mred\x7f", "?[31mred?", false},
	    {"<!DOCTYPE html><html><head><title>Welcome</title>"
	     "<style>p {color: red}</style><SCRIPT>if (1 < 2) {}</script>"
	     "</head><body><!-- <p>no</p> --><h1>Please log\nin</h1>to the "
	     "<b>hotel</b> WiFi</body></html>",
		"Welcome Please log in to the hotel WiFi", true},
	    {"\n<HTML><body></body></HTML>", "", true},
	    {"<!-- a comment --><html>text", "text", true},
	    {"<html>\n<p>a\x01z", "a?z", true},
	    {"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>"
	     "<Message>Access Denied</Message></Error>",
		"AccessDenied Access Denied", false},
	    {"<", "", false},
	    {"<html", "", true},
	    {"<html>a<!-- ", "a", true},
	    {"<html>a<script>b", "a", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char words[WORDS_SIZE];
		bool page;

		read_exactly(cases[i].text, strlen(cases[i].text), words,
		    &page);
		assert_string_equal(words, cases[i].words);
		assert_int_equal(page, cases[i].page);
	}
}

/* Every length of words, as one and as many: whole ones where it can be, and
 * never more than there is room for. */
static void long_texts_are_cut(void **state)
{
	char text[4 * WORDS_SIZE], words[WORDS_SIZE];
	bool page;

	(void)state;
	for (size_t len = 1; len < sizeof(text); len++) {
		bool fits = len < WORDS_SIZE - strlen("...");
		size_t n;

		memset(text, 'x', len);
		read_exactly(text, len, words, &page);
		n = strlen(words);
		assert_int_equal(n, fits ? len : WORDS_SIZE - 1);
		assert_int_equal(strstr(words, "...") != NULL, !fits);
		for (size_t i = 4; i < len; i += 5)
			text[i] = ' ';
		read_exactly(text, len, words, &page);
		assert_true(strlen(words) < WORDS_SIZE);
		assert_int_equal(strncmp(words, text, strcspn(words, ".")), 0);
	}
	assert_string_equal(words + strlen(words) - 7, "xxxx...");
}

static void a_nul_is_no_end(void **state)
{
	char words[WORDS_SIZE];
	bool page;

	(void)state;
	read_exactly("a\0b c", 5, words, &page);
	assert_string_equal(words, "a?b c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts),
	    cmocka_unit_test(long_texts_are_cut),
	    cmocka_unit_test(a_nul_is_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
