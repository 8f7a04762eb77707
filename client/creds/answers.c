/* SPDX-License-Identifier: Apache-2.0 */
/* What credential helpers said. */
#include "answers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/lock.h"
#include "base/strf.h"
#include "base/turn.h"
#include "creds/secret.h"
#include "helper.h"

enum {
	/* A helper is due after a second, or after so many times as long as it
	 * took, but after ten seconds at the latest: a logout counts then. */
	AGE_MIN = 1000, /* ms */
	AGE_MAX = 10 * 1000,
	SHARE = 20,
	/* How long an answer holds while the helper fails. */
	HOLD = 60 * 60 * 1000,
	/* Servers that are asked for; the one asked for longest ago goes. */
	ANSWERS = 64,
};

struct answer {
	char *key;  /* "NAME SERVER"; NULL where free */
	char *host; /* that it was asked for */
	/* ms of CLOCK_BOOTTIME, 0: never. */
	int64_t asked; /* when the helper was started last */
	unsigned runs; /* how often it was: clocks do not tell two runs apart */
	int64_t due;
	int64_t said;     /* when it said this */
	int found;        /* 1 a credential, 0 no credential */
	bool in_doubt;    /* it was refused, and is asked for once more */
	bool confirmed;   /* and was said again */
	struct err error; /* why it said nothing, code 0: it did */
	struct credential credential;
};

struct answers {
	struct turns *turns; /* at asking, by key */
	pthread_mutex_t lock;
	/* Under lock. */
	struct answer list[ANSWERS];
	uint64_t version;
};

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

struct answers *answers_new(struct err *err)
{
	struct answers *answers = calloc(1, sizeof(*answers));

	if (!answers) {
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&answers->lock, NULL);
	answers->turns = turns_new(err);
	if (answers->turns)
		return answers;
	answers_free(answers);
	return NULL;
}

static void forget(struct answer *answer)
{
	free(answer->key);
	free(answer->host);
	credential_release(&answer->credential);
	*answer = (struct answer){0};
}

void answers_free(struct answers *answers)
{
	if (!answers)
		return;
	answers_forget(answers);
	if (answers->turns)
		turns_free(answers->turns);
	pthread_mutex_destroy(&answers->lock);
	free(answers);
}

void answers_forget(struct answers *answers)
{
	SCOPED_LOCK(&answers->lock);

	for (size_t i = 0; i < ANSWERS; i++)
		forget(&answers->list[i]);
}

uint64_t answers_version(struct answers *answers)
{
	SCOPED_LOCK(&answers->lock);

	return answers->version;
}

/* Under lock, as what follows. */
static struct answer *find(struct answers *answers, const char *key)
{
	for (size_t i = 0; i < ANSWERS; i++) {
		struct answer *answer = &answers->list[i];

		if (answer->key && strcmp(answer->key, key) == 0)
			return answer;
	}
	return NULL;
}

/* NULL: out of memory. */
static struct answer *find_or_make(struct answers *answers, const char *key,
    const char *host)
{
	struct answer *answer = find(answers, key);

	if (answer)
		return answer;
	answer = &answers->list[0];
	for (size_t i = 1; i < ANSWERS; i++) {
		if (answers->list[i].asked < answer->asked)
			answer = &answers->list[i];
	}
	forget(answer);
	answer->key = strdup(key);
	answer->host = strdup(host);
	if (answer->key && answer->host)
		return answer;
	forget(answer);
	return NULL;
}

static int copy(const char *text, char **out, struct err *err)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? err_nomem(err) : 0;
}

/* What is kept: 1 or 0 as it was said, or why nothing was. */
static int give(const struct answer *answer, struct credential *out,
    struct err *err)
{
	const struct credential *from = &answer->credential;
	int r;

	if (answer->error.code) {
		*err = answer->error;
		return -err->code;
	}
	r = copy(from->username, &out->username, err);
	if (r == 0)
		r = copy(from->password, &out->password, err);
	if (r == 0)
		r = copy(from->identity_token, &out->identity_token, err);
	return r < 0 ? r : answer->found;
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same(const struct answer *answer, int found,
    const struct credential *said)
{
	const struct credential *kept = &answer->credential;

	return answer->found == found && same(kept->username, said->username) &&
	       same(kept->password, said->password) &&
	       same(kept->identity_token, said->identity_token);
}

/* Takes what was said, and what it took to say that. */
static void note(struct answers *answers, struct answer *answer, int found,
    struct credential *said)
{
	int64_t now = clock_ms(), age = (now - answer->asked) * SHARE;

	bool again = answer->said && is_same(answer, found, said);

	if (age > AGE_MAX)
		age = AGE_MAX;
	answers->version += answer->said && !again;
	answer->confirmed = again && answer->in_doubt;
	answer->in_doubt = false;
	credential_release(&answer->credential);
	answer->credential = *said;
	*said = (struct credential){0};
	answer->found = found;
	answer->error = (struct err)ERR_INIT;
	answer->said = now;
	answer->due = now + (age < AGE_MIN ? AGE_MIN : age);
}

/* One that hangs is left alone for as long as that took, or for longer if there
 * is an answer that holds. */
static void note_failure(struct answer *answer, const struct err *failure)
{
	int64_t now = clock_ms(), took = now - answer->asked;

	if (failure->code == EINTR) {
		answer->due = now;
		return;
	}
	if (answer->said && now - answer->said < HOLD) {
		answer->due =
		    now + (took * SHARE < AGE_MIN ? AGE_MIN : took * SHARE);
		return;
	}
	answer->said = 0;
	answer->error = *failure;
	answer->due = now + took;
}

static bool has_answer(const struct answer *answer)
{
	return answer && (answer->said || answer->error.code);
}

/* Whether there is an answer of that run or a later one; run 0: one that is not
 * due. */
static bool is_new(const struct answer *answer, unsigned run)
{
	if (!has_answer(answer))
		return false;
	return run ? answer->runs >= run : clock_ms() < answer->due;
}

/* Whether the key has such an answer. Else it is about to be asked for; what
 * was said before holds until then. 1, 0, or -ENOMEM. */
static int begin(struct answers *answers, const char *key, const char *host,
    unsigned run, struct err *err)
{
	struct answer *answer;

	SCOPED_LOCK(&answers->lock);
	answer = find_or_make(answers, key, host);
	if (!answer)
		return err_nomem(err);
	if (is_new(answer, run))
		return 1;
	answer->asked = clock_ms();
	answer->runs++;
	answer->due = INT64_MAX;
	return 0;
}

static void end(struct answers *answers, const char *key, int found,
    struct credential *said, const struct err *failure)
{
	struct answer *answer;

	SCOPED_LOCK(&answers->lock);
	answer = find(answers, key);
	if (answer && found < 0)
		note_failure(answer, failure);
	else if (answer)
		note(answers, answer, found, said);
}

/* Has the helper asked, unless there is an answer of that run (begin()).
 * -EINTR, -ENOMEM, or 0 with what it comes to kept. */
static int ask(struct answers *answers, const char *key, const char *host,
    unsigned run, struct err *err)
{
	CLEANUP(credential_release) struct credential said = {0};
	const char *server = strchr(key, ' ') + 1;
	AUTO_FREE char *name = strndup(key, (size_t)(server - key - 1));
	struct err failure = ERR_INIT;
	int r;

	if (!name)
		return err_nomem(err);
	r = turns_take(answers->turns, key, err);
	if (r < 0)
		return r;
	r = begin(answers, key, host, run, &failure);
	if (r == 0) {
		r = helper_get(name, server, &said, &failure);
		end(answers, key, r, &said, &failure);
	}
	turns_end(answers->turns, key);
	if (r != -EINTR && r != -ENOMEM)
		return 0;
	*err = failure;
	return r;
}

/* Whether there is an answer, with what it comes to in *result; be it due. */
static bool is_kept(struct answers *answers, const char *key, bool be_it_due,
    struct credential *out, int *result, struct err *err)
{
	struct answer *answer;

	SCOPED_LOCK(&answers->lock);
	answer = find(answers, key);
	if (!has_answer(answer) || (!be_it_due && !is_new(answer, 0)))
		return false;
	*result = give(answer, out, err);
	return true;
}

int answers_get(struct answers *answers, const char *name, const char *server,
    const char *host, struct credential *out, struct err *err)
{
	AUTO_FREE char *key = strf("%s %s", name, server);
	int r = 0;

	if (!key)
		return err_nomem(err);
	if (is_kept(answers, key, false, out, &r, err))
		return r;
	r = ask(answers, key, host, 0, err);
	if (r < 0 || is_kept(answers, key, true, out, &r, err))
		return r;
	/* Others took its place meanwhile. */
	return helper_get(name, server, out, err);
}

/* Whether the helper is to be asked again. Under lock. */
static bool is_wanted(struct answer *answer, const char *host, int64_t now,
    enum creds_doubt doubt)
{
	if (!answer->key || strcmp(answer->host, host) != 0)
		return false;
	if (doubt == CREDS_REFUSED && !answer->confirmed)
		answer->in_doubt = true;
	return now >= answer->due || doubt == CREDS_CHANGE || answer->in_doubt;
}

/* An answer that is to be asked for again. */
struct wanted_answer {
	char *key;    /* a new string */
	unsigned run; /* that is late enough */
};

static size_t list_wanted(struct answers *answers, const char *host,
    enum creds_doubt doubt, struct wanted_answer list[ANSWERS])
{
	int64_t now = clock_ms();
	size_t count = 0;

	SCOPED_LOCK(&answers->lock);
	for (size_t i = 0; i < ANSWERS; i++) {
		struct answer *answer = &answers->list[i];

		if (!is_wanted(answer, host, now, doubt))
			continue;
		list[count].key = strdup(answer->key);
		list[count].run = answer->runs + 1;
		count += list[count].key != NULL;
	}
	return count;
}

void answers_renew(struct answers *answers, const char *host,
    enum creds_doubt doubt)
{
	struct wanted_answer list[ANSWERS];
	size_t count = list_wanted(answers, host, doubt, list);

	for (size_t i = 0; i < count; i++) {
		ask(answers, list[i].key, host,
		    doubt == CREDS_FINE ? 0 : list[i].run, ERR_IGNORE);
		free(list[i].key);
	}
}
