/* SPDX-License-Identifier: Apache-2.0 */
/* What a tag named before and names now, and what the journal says of it. */
#ifndef IMAGE_TAG_CHANGE_H
#define IMAGE_TAG_CHANGE_H

#include <stdbool.h>

#include "image/journal.h"

/* What is known of a tag. */
struct tag_state {
	enum { TAG_UNKNOWN, TAG_ABSENT, TAG_PRESENT } presence;
	struct digest digest; /* of one that is there; unset: not known */
};

struct tag_change {
	const char *registry; /* the source's name */
	const char *repository, *tag;
	struct tag_state before, now;
	bool ours;   /* this mount made it, else it only saw it */
	bool hinted; /* somebody says that there is a change */
};

/* Adds the event, if it is one, and says whether it is. In memory alone, as
 * journal_add(). */
bool tag_change_note(struct journal *journal, const struct tag_change *change);

#endif
