/* SPDX-License-Identifier: Apache-2.0 */
/* What the images of all sources share. */
#include <stdlib.h>

#include "images_state.h"

struct images_shared *images_shared_new(struct store *store, struct err *err)
{
	CLEANUP(images_shared_free_p)
	struct images_shared *shared = calloc(1, sizeof(*shared));

	if (!shared) {
		err_nomem(err);
		return NULL;
	}
	shared->store = store;
	shared->journal = journal_new(store, JOURNAL_FILE_MAX, err);
	if (!shared->journal)
		return NULL;
	shared->pushes = pushes_new(shared->journal, err);
	if (!shared->pushes || layer_table_new(store, &shared->layers, err) < 0)
		return NULL;
	return steal(&shared);
}

void images_shared_free(struct images_shared *shared)
{
	layer_table_free(shared->layers);
	pushes_free(shared->pushes);
	journal_free(shared->journal);
	free(shared);
}

struct store *images_shared_store(struct images_shared *shared)
{
	return shared->store;
}

struct journal *images_shared_journal(struct images_shared *shared)
{
	return shared->journal;
}

struct pushes *images_shared_pushes(struct images_shared *shared)
{
	return shared->pushes;
}
