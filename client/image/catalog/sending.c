/* SPDX-License-Identifier: Apache-2.0 */
/* Who sends which blob. */
#include "sending.h"

#include <errno.h>

#include "base/file.h"
#include "base/map.h"
#include "base/task.h"

struct sending {
	struct monitor monitor;
	struct map busy; /* in the monitor: keys of blobs that are sent */
};

struct sending *sending_new(struct err *err)
{
	struct sending *sending = calloc(1, sizeof(*sending));

	if (sending)
		monitor_init(&sending->monitor);
	else
		err_nomem(err);
	return sending;
}

void sending_free(struct sending *sending)
{
	if (!sending)
		return;
	map_release(&sending->busy);
	monitor_release(&sending->monitor);
	free(sending);
}

/* In the monitor. */
static int take(struct sending *sending, const char *key, struct err *err)
{
	while (map_get(&sending->busy, key)) {
		if (monitor_wait(&sending->monitor) < 0)
			return err_set(err, EINTR,
			    "interrupted while another push sends %s", key);
	}
	return map_put(&sending->busy, key, sending) < 0 ? err_nomem(err) : 0;
}

int sending_begin(struct sending *sending, const char *repository,
    const struct digest *digest, char **key, struct err *err)
{
	char text[DIGEST_TEXT_SIZE];
	AUTO_FREE char *made =
	    file_path("%s@%s", repository, digest_format(digest, text));
	int r;

	if (!made)
		return err_nomem(err);
	monitor_enter(&sending->monitor);
	r = take(sending, made, err);
	monitor_leave(&sending->monitor);
	if (r == 0)
		*key = steal(&made);
	return r;
}

void sending_end(struct sending *sending, char *key)
{
	if (!key)
		return;
	monitor_enter(&sending->monitor);
	map_del(&sending->busy, key);
	monitor_notify(&sending->monitor);
	monitor_leave(&sending->monitor);
	free(key);
}
