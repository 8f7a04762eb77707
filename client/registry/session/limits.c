/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of requests: what headers say of them. */
#include "limits.h"

#include <stdio.h>

#include "base/lock.h"
#include "base/parse.h"
#include "http/grammar.h"

enum { REFUSED_FOR = 60 }; /* seconds */

void limits_init(struct limits *limits)
{
	pthread_mutex_init(&limits->lock, NULL);
}

void limits_release(struct limits *limits)
{
	pthread_mutex_destroy(&limits->lock);
}

/* "100;w=21600", or the number alone; *window stays where none is said. False
 * where there is no such header, or it means nothing. */
static bool read_count(const struct http_response *response, const char *name,
    uint64_t *count, uint64_t *window)
{
	const char *p = http_header(response, name);
	uint64_t seconds;

	if (!p || !parse_u64(&p, UINT64_MAX - 1, count))
		return false;
	if (parse_literal(&p, ";w=") && parse_u64(&p, UINT64_MAX - 1, &seconds))
		*window = seconds;
	return true;
}

/* False where it says nothing. */
static bool read_quota(const struct http_response *response,
    struct source_limit *out)
{
	const char *source = http_header(response, "docker-ratelimit-source");
	bool said;

	out->quota.limit = out->quota.remaining = out->quota.window =
	    UINT64_MAX;
	said = read_count(response, "ratelimit-limit", &out->quota.limit,
	    &out->quota.window);
	said |= read_count(response, "ratelimit-remaining",
	    &out->quota.remaining, &out->quota.window);
	snprintf(out->quota.source, sizeof(out->quota.source), "%s",
	    source ? source : "");
	out->quota.at = time(NULL);
	return said;
}

static bool read_refusal(const struct http_response *response,
    struct source_limit *out)
{
	const char *field = http_header(response, "Retry-After");
	time_t now = time(NULL);

	out->refusal.at = now;
	if (!field || !http_retry_after(field, now, &out->refusal.retry_after))
		out->refusal.retry_after = UINT64_MAX;
	return http_status(response) == 429;
}

void limits_read(struct limits *limits, const struct http_response *response)
{
	struct source_limit now;
	bool quota = read_quota(response, &now);
	bool refusal = read_refusal(response, &now);

	if (!quota && !refusal)
		return;
	SCOPED_LOCK(&limits->lock);
	if (quota)
		limits->latest.quota = now.quota;
	if (refusal)
		limits->latest.refusal = now.refusal;
}

struct source_limit limits_get(struct limits *limits)
{
	SCOPED_LOCK(&limits->lock);

	return limits->latest;
}

bool limits_used_up(struct limits *limits)
{
	const struct source_limit latest = limits_get(limits);

	return latest.quota.at && latest.quota.remaining == 0 &&
	       latest.refusal.at &&
	       time(NULL) - latest.refusal.at < REFUSED_FOR;
}
