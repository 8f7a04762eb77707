/* SPDX-License-Identifier: Apache-2.0 */
/* The last refusals, whose they were, and of what kind. */
#include "refusals.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/lock.h"
#include "caller.h"

enum {
	NOTES = 64, /* programs that run into rules at the same time */
	QUIET = 60, /* seconds */
	RULE_SIZE = 64,
};

struct refusal_note {
	pid_t pid; /* 0: free */
	time_t last;
	char rule[RULE_SIZE];
};

struct refusals {
	pthread_mutex_t lock;
	struct refusal_note notes[NOTES]; /* under lock */
	size_t next;                      /* likewise */
};

struct refusals *refusals_new(struct err *err)
{
	struct refusals *refusals = calloc(1, sizeof(*refusals));

	if (!refusals) {
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&refusals->lock, NULL);
	return refusals;
}

void refusals_free(struct refusals *refusals)
{
	if (!refusals)
		return;
	pthread_mutex_destroy(&refusals->lock);
	free(refusals);
}

/* What stands before the advice. */
static void rule_of(const char *sentence, char out[RULE_SIZE])
{
	size_t len = strcspn(sentence, ",;");

	len = len < RULE_SIZE ? len : RULE_SIZE - 1;
	memcpy(out, sentence, len);
	out[len] = '\0';
}

/* Under lock. */
static struct refusal_note *find(struct refusals *refusals, pid_t pid,
    const char *rule)
{
	for (size_t i = 0; i < NOTES; i++) {
		struct refusal_note *note = &refusals->notes[i];

		if (note->pid == pid && strcmp(note->rule, rule) == 0)
			return note;
	}
	return NULL;
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

bool refusals_are_new(struct refusals *refusals, const char *sentence)
{
	pid_t pid = caller_now().pid;
	time_t now = seconds();
	char rule[RULE_SIZE];
	struct refusal_note *note;
	bool is_new;

	rule_of(sentence, rule);
	SCOPED_LOCK(&refusals->lock);
	note = find(refusals, pid, rule);
	is_new = !note || now - note->last >= QUIET;
	if (!note)
		note = &refusals->notes[refusals->next++ % NOTES];
	note->pid = pid;
	note->last = now;
	memcpy(note->rule, rule, sizeof(rule));
	return is_new;
}
