/* SPDX-License-Identifier: Apache-2.0 */
/* Giving a verified blob its name. */
#include "settle.h"

#include "base/log.h"
#include "partial.h"
#include "path.h"
#include "use.h"
#include "whole.h"

/* The job; its errors have no reader and end here. */
static void settle(void *arg)
{
	CLEANUP(entry_put_p) struct entry *entry = arg;
	struct err err = ERR_INIT;

	if (whole_sync(entry->file->fd, entry->size, &err) < 0) {
		/* Pages that could not be written may be gone already. */
		log_warn("blob %s: %s", entry->name, err.msg);
		partial_drop(entry);
		entry_fail(entry, &err);
		return;
	}
	if (path_rename(entry->partial_path, entry->whole_path, &err) < 0) {
		/* Who has it open keeps it. */
		log_warn("blob %s: %s", entry->name, err.msg);
		partial_drop(entry);
	}
	use_begin(entry->file->fd);
}

void settle_start(struct entry *entry)
{
	struct err err = ERR_INIT;

	entry_get(entry);
	if (pool_submit(entry->store->keepers, settle, entry, &err) < 0)
		settle(entry);
}
