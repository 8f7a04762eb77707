/* SPDX-License-Identifier: Apache-2.0 */
/* Readers that wait for bytes of a blob, and start its fetch. */
#include "await.h"

#include <errno.h>

#include "base/budget.h"
#include "fetch.h"

static bool has(const struct entry *entry, uint64_t off, uint64_t end)
{
	if (entry->whole)
		return true;
	return entry->unkept ? unkept_passes(entry->unkept, off, end)
			     : end < entry->size && end <= entry->have;
}

/* Who brings it may have waited for that. */
static void ask(struct entry *entry, uint64_t end)
{
	if (end <= entry->asked)
		return;
	entry->asked = end;
	if (entry->unkept && !entry->whole)
		monitor_notify(&entry->monitor);
}

/* What has passed is not there again before all has. */
static void hurry(struct entry *entry, uint64_t off)
{
	if (entry->hurried || !entry->unkept ||
	    !unkept_has_passed(entry->unkept, off))
		return;
	entry->hurried = true;
	monitor_notify(&entry->monitor);
}

int entry_await(struct entry *entry, uint64_t off, uint64_t end,
    struct err *err)
{
	const unsigned failures = entry->failures;
	const uint64_t since = budget_clock();

	ask(entry, end);
	while (!has(entry, off, end)) {
		if (entry->failures != failures) {
			*err = entry->failure;
			budget_waited(entry->shared.key, since, err);
			return -err->code;
		}
		if (!entry->fetching) {
			int r = budget_recall(entry->shared.key, err);

			if (r == 0)
				r = fetch_start(entry, err);
			if (r < 0)
				return r;
			entry->fetching = true;
		}
		hurry(entry, off);
		if (end < entry->wanted)
			entry->wanted = end;
		if (monitor_wait(&entry->monitor) < 0)
			return err_set(err, EINTR,
			    "interrupted while waiting for blob %s",
			    entry->name);
	}
	return 0;
}
