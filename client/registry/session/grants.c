/* SPDX-License-Identifier: Apache-2.0 */
/* Authorization values by scope. */
#include "grants.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "creds/secret.h"

/* A token that ends while the request travels is refused on arrival. */
enum { MARGIN = 5 };

/* Tokens age while the machine sleeps. */
static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_BOOTTIME, &time);
	return (uint64_t)time.tv_sec;
}

void grants_init(struct grants *grants)
{
	memset(grants, 0, sizeof(*grants));
	monitor_init(&grants->monitor);
}

static void forget(struct grant *grant)
{
	free(grant->scope);
	secret_free(grant->value);
	*grant = (struct grant){0};
}

void grants_release(struct grants *grants)
{
	for (size_t i = 0; i < GRANTS_MAX; i++)
		forget(&grants->slots[i]);
	monitor_release(&grants->monitor);
}

static struct grant *find(struct grants *grants, const char *scope)
{
	for (size_t i = 0; i < GRANTS_MAX; i++) {
		struct grant *grant = &grants->slots[i];

		if (grant->scope && strcmp(grant->scope, scope) == 0)
			return grant;
	}
	return NULL;
}

/* The slot that was used longest ago; NULL if somebody needs each. */
static struct grant *find_old(struct grants *grants)
{
	struct grant *old = NULL;

	for (size_t i = 0; i < GRANTS_MAX; i++) {
		struct grant *grant = &grants->slots[i];

		if (!grant->busy && !grant->waiting &&
		    (!old || grant->used < old->used))
			old = grant;
	}
	return old;
}

/* The scope's slot, an old one made it if need be. 1, 0 if none is to be had
 * now, or -ENOMEM. */
static int get_slot(struct grants *grants, const char *scope,
    struct grant **out)
{
	struct grant *grant = find(grants, scope);

	if (!grant) {
		grant = find_old(grants);
		if (!grant)
			return 0;
		forget(grant);
		grant->scope = strdup(scope);
		if (!grant->scope)
			return -ENOMEM;
	}
	grant->used = ++grants->uses;
	*out = grant;
	return 1;
}

static bool is_valid(const struct grant *grant, uint64_t version,
    const char *refused)
{
	return grant->value && grant->version >= version &&
	       now() < grant->expires &&
	       (!refused || strcmp(grant->value, refused) != 0);
}

static int copy_value(const struct grant *grant, char **value, struct err *err)
{
	*value = strdup(grant->value);
	return *value ? 1 : err_nomem(err);
}

/* Waits for who obtains it. 0, or that one's failure, or -EINTR. */
static int wait_for(struct grants *grants, struct grant *grant, struct err *err)
{
	int r = 0;

	grant->waiting++;
	while (r == 0 && grant->busy)
		r = monitor_wait(&grants->monitor);
	grant->waiting--;
	if (r < 0)
		return err_set(err, -r, "interrupted");
	if (!grant->failure.code)
		return 0;
	*err = grant->failure;
	return -err->code;
}

static int begin(struct grants *grants, const char *scope, const char *refused,
    uint64_t version, char **value, struct err *err)
{
	for (;;) {
		struct grant *grant;
		int r = get_slot(grants, scope, &grant);

		if (r < 0)
			return err_nomem(err);
		if (r == 0) {
			r = monitor_wait(&grants->monitor);
		} else if (grant->busy) {
			r = wait_for(grants, grant, err);
			if (r < 0)
				return r;
		} else if (is_valid(grant, version, refused)) {
			return copy_value(grant, value, err);
		} else {
			grant->busy = true;
			grant->version = version;
			grant->failure.code = 0;
			return 0;
		}
		if (r < 0)
			return err_set(err, -r, "interrupted");
	}
}

int grants_begin(struct grants *grants, const char *scope, const char *refused,
    uint64_t version, char **value, struct err *err)
{
	int r;

	monitor_enter(&grants->monitor);
	r = begin(grants, scope, refused, version, value, err);
	monitor_leave(&grants->monitor);
	return r;
}

void grants_end(struct grants *grants, const char *scope, const char *value,
    uint64_t lifetime, const struct err *err)
{
	struct grant *grant;

	monitor_enter(&grants->monitor);
	grant = find(grants, scope);
	assert(grant && grant->busy);
	grant->busy = false;
	secret_free(grant->value);
	grant->value = value ? strdup(value) : NULL;
	grant->expires = UINT64_MAX;
	if (lifetime != GRANT_FOREVER)
		grant->expires =
		    now() + lifetime - (lifetime > 2 * MARGIN ? MARGIN : 0);
	/* That one thread was interrupted is no answer to the others. */
	if (!value && err->code != EINTR)
		grant->failure = *err;
	monitor_notify(&grants->monitor);
	monitor_leave(&grants->monitor);
}

int grants_peek(struct grants *grants, const char *scope, uint64_t version,
    char **value, struct err *err)
{
	struct grant *grant;
	int r = 0;

	*value = NULL;
	monitor_enter(&grants->monitor);
	grant = find(grants, scope);
	if (grant && is_valid(grant, version, NULL)) {
		grant->used = ++grants->uses;
		r = copy_value(grant, value, err);
	}
	monitor_leave(&grants->monitor);
	return r < 0 ? r : 0;
}
