/* SPDX-License-Identifier: Apache-2.0 */
/* One request to a registry, with what it takes to be let in. */
#ifndef CLIENT_REGISTRY_CALL_H
#define CLIENT_REGISTRY_CALL_H

#include "answer/refusal.h"
#include "session/session.h"

enum {
	/* Registries send to storage, and storage to a mirror of it. */
	CALL_REDIRECTS = 5,
	CALL_HEADERS_MAX = 4,
};

struct call {
	const char *method;
	char *url;
	char *repository; /* its name at the registry; NULL: of none */
	char *scope;
	/* For the caller to set; zero when initialised. */
	const char *headers[CALL_HEADERS_MAX]; /* the first NULL ends them */
	struct payload body;
	unsigned max_redirects;
	bool retry;
	bool bulk;    /* as of http_request */
	bool changes; /* a tag: a logout that was a moment ago counts */
	bool final;   /* a 401 is an answer, not worth a new token */
};

/*
 * A call of /v2/REPOSITORY/…, or of /v2/… if repository is NULL. actions: those
 * needed on the repository ("pull,push"); the whole scope if it is NULL.
 * Release it also after a failure.
 */
int call_init(struct call *call, const struct registry *registry,
    const char *method, const char *repository, const char *actions,
    struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 7, 8)));

void call_release(struct call *call);

/* The same with another url. Takes it; NULL is "out of memory". */
int call_take_url(struct call *call, char *url, struct err *err);

/*
 * Sends it, with a token that is renewed once if it is refused. 0 for any
 * status; failures are those of http_open() and auth_authorize().
 */
int call_send(struct registry *registry, const struct call *call,
    struct http_response **out, struct err *err);

/* What a call is about, as messages name it: "app:1.0", "app@sha256:…". */
struct call_what {
	char text[512];
};

struct call_what call_what(const char *repository, const char *reference);

/* The error of a status that is not wanted. -errno. */
int call_refused(struct registry *registry, const struct call *call,
    struct http_response *response, const char *what, struct err *err);

/* The same of an answer whose body has been read. */
int call_refused_by(struct registry *registry, const struct call *call,
    const struct refusal *refusal, const char *what, struct err *err);

/* Library names are a user's way to write those of Docker Hub: the name that
 * the registry uses, a new string, NULL when out of memory. */
char *call_repository(const struct registry *registry, const char *repository);

#endif
