/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry that is away: nobody answers there, or only a gateway that has
 * lost it. Tags and lists then go on as they were last seen.
 */
#ifndef IMAGE_AWAY_H
#define IMAGE_AWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct images;
struct pool;

/* In struct images, under its monitor. */
struct away {
	bool unreachable; /* the last request had no answer */
	bool said;        /* and the log has it */
	bool silent;      /* it did not even say no */
	bool checked;     /* which ask() has found, too */
	bool asking;      /* whether it has come back */
	int64_t asked; /* the last time, on the monotonic clock, in seconds */
	int64_t since; /* when it was first found to be */
	struct err failure; /* of the last request */
	struct pool *pool;
};

/* A tag or a list was asked for, and that came of it. Outside the monitor. */
void away_note(struct images *images, int r, const struct err *err);

/* Whether what was seen last goes on: it is, and that is wanted. Inside the
 * monitor. */
bool away_shows_old(const struct images *images);

/*
 * Before a registry is asked for what nothing is known of: 0, or the failure of
 * the last request where that had no answer in all of its time, and another one
 * meanwhile (which is made here, at most each tag_ttl) has none at once. So a
 * registry that says nothing costs one wait, and not one for each name. What is
 * patient (base/budget.h) is let through. Outside the monitor.
 */
int away_refuse(struct images *images, struct err *err);

/* What is no tag and no list was asked for, and that came of it: only silence
 * is noted. Outside the monitor. */
void away_note_silence(struct images *images, int r, const struct err *err);

/* Whether it is, by a look that is not older than tag_ttl. Inside the monitor.
 */
bool away_known(const struct images *images);

/*
 * For callers that have something from before: where the last look is older
 * than tag_ttl, asks whether the registry is back, and waits for the answer,
 * but not for long. Inside the monitor; `is` then says what to do.
 */
void away_look(struct images *images);

#endif
