/* SPDX-License-Identifier: Apache-2.0 */
/* The order of names in directories. */
#ifndef LAYER_COMPARE_H
#define LAYER_COMPARE_H

#include <string.h>

/* How name (len bytes) stands to the text: as strcmp() says. */
static inline int compare_name(const char *name, size_t len, const char *text)
{
	int order = strncmp(name, text, len);

	return order ? order : -(text[len] != '\0');
}

#endif
