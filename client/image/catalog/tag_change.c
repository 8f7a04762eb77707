/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of tags as events. */
#include "tag_change.h"

static bool known(const struct tag_state *state)
{
	return state->presence == TAG_PRESENT && digest_is_set(&state->digest);
}

/* The event's name, or NULL: nothing has changed as far as is known. */
static const char *change_name(const struct tag_change *change)
{
	const struct tag_state *before = &change->before, *now = &change->now;

	if (now->presence == TAG_ABSENT)
		return before->presence == TAG_PRESENT ||
			       (before->presence == TAG_UNKNOWN && change->ours)
			   ? "tag-removed"
			   : NULL;
	if (before->presence == TAG_ABSENT)
		return "tag-created";
	if (known(before) && known(now))
		return digest_equal(&before->digest, &now->digest)
			   ? NULL
			   : "tag-moved";
	/* It may be new, another one, or the same. */
	return change->ours || (change->hinted && known(now) && !known(before))
		   ? "tag-put"
		   : NULL;
}

bool tag_change_note(struct journal *journal, const struct tag_change *change)
{
	const struct tag_state *before = &change->before, *now = &change->now;
	const struct image_event event = {.name = change_name(change),
	    .registry = change->registry,
	    .repository = change->repository,
	    .tag = change->tag,
	    .digest = known(now) ? &now->digest : NULL,
	    .before = known(before) ? &before->digest : NULL,
	    .by = change->ours ? "this mount" : "another client"};

	if (event.name)
		journal_add(journal, &event);
	return event.name != NULL;
}
