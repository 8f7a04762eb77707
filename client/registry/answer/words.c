/* SPDX-License-Identifier: Apache-2.0 */
/* Words out of pages. */
#include "words.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"

#define BLANKS " \t\r\n"
#define MORE "..."

/* Far enough to be past declarations and comments. */
enum { PAGE_LOOK = 1024 };

static bool is_blank(char c)
{
	return strchr(BLANKS, c) && c;
}

static size_t skip_blanks(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && is_blank(text[n]))
		n++;
	return n;
}

static bool begins(const char *text, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && strncasecmp(text, with, n) == 0;
}

/* Where `what` begins, in any case; len if it is not there. */
static size_t find(const char *text, size_t len, const char *what)
{
	size_t at = 0;

	while (at < len && !begins(text + at, len - at, what))
		at++;
	return at;
}

static bool is_markup(const char *text, size_t len)
{
	size_t blank = skip_blanks(text, len);

	return blank < len && text[blank] == '<';
}

bool words_are_a_page(const char *text, size_t len)
{
	size_t look = len < PAGE_LOOK ? len : PAGE_LOOK;

	return is_markup(text, len) &&
	       (find(text, look, "<html") < look ||
		   find(text, look, "<!doctype html") < look);
}

/* The length of a tag, and of what belongs to it that is no text. */
static size_t tag_length(const char *text, size_t len)
{
	static const struct {
		const char *begin, *end;
	} silent[] = {{"<!--", "-->"}, {"<script", "</script>"},
	    {"<style", "</style>"}};

	for (size_t i = 0; i < sizeof(silent) / sizeof(*silent); i++) {
		const char *end = silent[i].end;
		size_t n;

		if (!begins(text, len, silent[i].begin))
			continue;
		n = find(text, len, end);
		return n < len ? n + strlen(end) : len;
	}
	for (size_t n = 0; n < len; n++)
		if (text[n] == '>')
			return n + 1;
	return len;
}

/* The length of what stands between two words: blanks, and tags in markup. */
static size_t gap_length(const char *text, size_t len, bool markup)
{
	size_t n = 0;

	while (n < len) {
		if (is_blank(text[n]))
			n++;
		else if (markup && text[n] == '<')
			n += tag_length(text + n, len - n);
		else
			break;
	}
	return n;
}

static size_t word_length(const char *text, size_t len, bool markup)
{
	size_t n = 0;

	while (n < len && !is_blank(text[n]) && !(markup && text[n] == '<'))
		n++;
	return n;
}

void words_read(const char *text, size_t len, char out[WORDS_SIZE])
{
	const size_t room = WORDS_SIZE - sizeof(MORE);
	bool markup = is_markup(text, len);
	size_t at = gap_length(text, len, markup);
	size_t used = 0;

	while (at < len) {
		size_t word = word_length(text + at, len - at, markup);
		size_t left = room - used;
		size_t blank = used > 0;

		if (word + blank > left && used > 0)
			break;
		if (blank)
			out[used++] = ' ';
		err_clean(out + used, room - used + 1, text + at, word);
		used += strlen(out + used);
		/* A word that is too long for any message. */
		if (word > left)
			break;
		at += word;
		at += gap_length(text + at, len - at, markup);
	}
	memcpy(out + used, at < len ? MORE : "", at < len ? sizeof(MORE) : 1);
}
