/* SPDX-License-Identifier: Apache-2.0 */
/* Giving a verified blob its name. */
#include "settle.h"

#include "base/log.h"
#include "cache/path.h"
#include "cache/use.h"
#include "partial.h"
#include "whole.h"

struct settling {
	struct entry *entry;   /* held, as what follows */
	struct openfile *file; /* the entry may get another one */
};

static void settling_release(struct settling *settling)
{
	openfile_put(settling->file);
	entry_put(settling->entry);
}

/* Its errors have no reader and end here. */
static void settle(const struct settling *settling)
{
	struct entry *entry = settling->entry;
	const struct openfile *file = settling->file;
	struct err err = ERR_INIT;
	int64_t all = whole_seal(file->fd, entry->size, file->sums, &err);

	if (all < 0) {
		/* Pages that could not be written may be gone already. */
		log_warn("blob %s: %s", entry->name, err.msg);
		partial_drop(entry);
		entry_lost(entry, file);
		return;
	}
	if (path_rename(entry->partial_path, entry->whole_path, &err) < 0) {
		/* Those who have it open keep it. */
		log_warn("blob %s: %s", entry->name, err.msg);
		partial_drop(entry);
	}
	use_begin(file->fd);
	store_grew(entry->store, (uint64_t)all - entry->size);
}

static void job(void *arg)
{
	AUTO_FREE struct settling *settling = arg;

	settle(settling);
	settling_release(settling);
}

void settle_start(struct entry *entry, struct openfile *file)
{
	struct settling here = {entry_get(entry), openfile_get(file)};
	AUTO_FREE struct settling *settling = malloc(sizeof(*settling));

	if (settling) {
		*settling = here;
		if (pool_submit(entry->store->keepers, job, settling,
			ERR_IGNORE) == 0) {
			steal(&settling);
			return;
		}
	}
	settle(&here);
	settling_release(&here);
}
