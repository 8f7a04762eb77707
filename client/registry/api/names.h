/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strings of one array in a JSON object, while the object's text arrives
 * piece by piece: a list of any length costs the memory of one name.
 */
#ifndef CLIENT_REGISTRY_NAMES_H
#define CLIENT_REGISTRY_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Longer than any name that is one; what is longer is passed over. */
enum { NAMES_TEXT_SIZE = 512 };

struct names_parser {
	const char *member; /* the array's name, borrowed */
	unsigned depth;     /* of open objects and arrays */
	bool ended;         /* the object is complete */
	bool value;         /* in the object: after the colon */
	bool wanted;        /* the last key was the member */
	bool listing;       /* in the array */
	bool found;         /* there is such an array, or null */
	bool in_string;
	bool escaped;      /* after a backslash */
	unsigned hex_left; /* digits of \uXXXX to come */
	unsigned unicode;
	bool unfit; /* the string is too long, or not ASCII text */
	size_t len;
	char text[NAMES_TEXT_SIZE];
};

typedef int names_fn(void *arg, const char *name, size_t len, struct err *err);

/* member is borrowed; the struct owns no memory. */
void names_init(struct names_parser *names, const char *member);

/*
 * Takes more of the text and calls each for every string directly in the array;
 * other elements are passed over. 0, what each returned if that was not 0, or
 * -EIO with a sentence for what is no JSON object.
 */
int names_feed(struct names_parser *names, const char *data, size_t len,
    names_fn *each, void *arg, struct err *err);

/* At the end of the text: 0, or -EIO if the object is not complete, or has no
 * such member; null, which docker-registry writes, is an empty list. */
int names_finish(const struct names_parser *names, struct err *err);

#endif
