/* SPDX-License-Identifier: Apache-2.0 */
/* The three put together. */
#include "watching.h"

#include <stdlib.h>

#include "hook.h"
#include "image/shared.h"
#include "webhook.h"

struct watchers {
	struct journal *journal;
	struct watch *watch;
	struct webhook *webhook;
	struct hook *hook;
};

DEFINE_CLEANUP(struct watchers *, watching_stop);

static void note(void *arg, const struct image_event *event, const char *line)
{
	struct watchers *watching = arg;

	if (watching->watch)
		watch_note(watching->watch, event);
	if (watching->hook)
		hook_add(watching->hook, event, line);
}

static void hint(void *arg, const char *repository, const char *tag)
{
	watch_hint(((struct watchers *)arg)->watch, repository, tag);
}

int watching_start(struct mount *mount, const struct watching_options *options,
    struct watchers **out, struct err *err)
{
	CLEANUP(watching_stop_p)
	struct watchers *watching = calloc(1, sizeof(*watching));

	if (!watching)
		return err_nomem(err);
	watching->journal = images_shared_journal(mount->images_shared);
	if (options->hook) {
		watching->hook =
		    hook_new(options->hook, mount->mountpoint, err);
		if (!watching->hook)
			return -err->code;
	}
	if (options->watch.seconds || options->webhook) {
		watching->watch = watch_new(mount, &options->watch, err);
		if (!watching->watch)
			return -err->code;
	}
	if (options->webhook) {
		watching->webhook =
		    webhook_new(options->webhook, hint, watching, err);
		if (!watching->webhook)
			return -err->code;
	}
	journal_listen(watching->journal, note, watching);
	*out = steal(&watching);
	return 0;
}

void watching_stop(struct watchers *watching)
{
	if (!watching)
		return;
	journal_listen(watching->journal, NULL, NULL);
	webhook_free(watching->webhook);
	watch_free(watching->watch);
	hook_free(watching->hook);
	free(watching);
}

bool watching_stop_dropping(struct watchers *watching)
{
	return !watching || watch_stop_dropping(watching->watch);
}
