/* SPDX-License-Identifier: Apache-2.0 */
/* A few notes, in the order in which they were made. */
#include "attempt.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "caller.h"
#include "node/mount.h"

/* More programs than that hardly are between two system calls. */
enum { NOTES = 64 };

struct note {
	enum attempt_kind kind;
	pid_t pid; /* 0: free */
	uint64_t dir;
	char name[256];
};

struct attempts {
	pthread_mutex_t lock;
	struct note notes[NOTES]; /* under lock */
	size_t next;              /* likewise */
};

struct attempts *attempts_new(struct err *err)
{
	struct attempts *attempts = calloc(1, sizeof(*attempts));

	if (!attempts) {
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&attempts->lock, NULL);
	return attempts;
}

void attempts_free(struct attempts *attempts)
{
	if (!attempts)
		return;
	pthread_mutex_destroy(&attempts->lock);
	free(attempts);
}

/* Under lock. */
static struct note *find(struct attempts *attempts, const struct node *dir,
    const char *name, enum attempt_kind kind)
{
	pid_t pid = caller_now().pid;

	for (size_t i = 0; i < NOTES && pid != 0; i++) {
		struct note *note = &attempts->notes[i];

		if (note->pid == pid && note->kind == kind &&
		    note->dir == dir->ino && strcmp(note->name, name) == 0)
			return note;
	}
	return NULL;
}

void attempt_note(const struct node *dir, const char *name,
    enum attempt_kind kind)
{
	struct attempts *attempts = dir->mount->attempts;
	struct note *note;

	SCOPED_LOCK(&attempts->lock);
	note = find(attempts, dir, name, kind);
	if (!note)
		note = &attempts->notes[attempts->next++ % NOTES];
	note->kind = kind;
	note->pid = caller_now().pid;
	note->dir = dir->ino;
	snprintf(note->name, sizeof(note->name), "%s", name);
}

void attempt_forget(const struct node *dir, const char *name,
    enum attempt_kind kind)
{
	struct attempts *attempts = dir->mount->attempts;
	struct note *note;

	SCOPED_LOCK(&attempts->lock);
	note = find(attempts, dir, name, kind);
	if (note)
		note->pid = 0;
}

bool attempt_is_noted(const struct node *dir, const char *name,
    enum attempt_kind kind)
{
	struct attempts *attempts = dir->mount->attempts;

	SCOPED_LOCK(&attempts->lock);
	return find(attempts, dir, name, kind) != NULL;
}

uint64_t attempt_last(const struct mount *mount, enum attempt_kind kind)
{
	struct attempts *attempts = mount->attempts;
	pid_t pid = caller_now().pid;

	SCOPED_LOCK(&attempts->lock);
	for (size_t i = 1; pid && i <= NOTES; i++) {
		const struct note *note =
		    &attempts->notes[(attempts->next - i) % NOTES];

		if (note->pid == pid && note->kind == kind)
			return note->dir;
	}
	return 0;
}
