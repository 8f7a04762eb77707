/* SPDX-License-Identifier: Apache-2.0 */
/* The API of a service, which is not the distribution API: JSON, page by page,
 * at the registry or at another host of the service. */
#ifndef CLIENT_REGISTRY_SERVICE_H
#define CLIENT_REGISTRY_SERVICE_H

#include <jansson.h>

#include "api/call.h"
#include "api/walk.h"
#include "lister.h"

/* A member of the object that a list has for a repository or tag: text, a
 * number, or true. "a.b" is the member b of a. */
struct service_fact {
	const char *name; /* of what it says, as source_facts() has it */
	const char *member;
};

struct service {
	struct registry *registry;
	const char *what;          /* is asked for, for messages */
	const char *authorization; /* "Bearer …", "Basic …", or NULL */
	const struct lister_reader *reader;
	/* What is kept of each repository; ends with a NULL. May be NULL. */
	const struct service_fact *facts;
};

/* A page that has come. */
struct service_page {
	const struct service *service;
	const char *url;
	struct http_response *response;
	json_t *root;
	struct page content; /* noted by service_pass() */
	char *next;          /* the next one's url, NULL at the end */
};

/* Passes on what is in a page, and sets its next one. Nonzero ends the walk and
 * is returned. */
typedef int service_page_fn(struct service_page *page, void *arg,
    struct err *err);

/* GETs a page and all that follow, within the bounds of walk.h. Takes the url;
 * NULL is "out of memory". A status other than 200 is its errno. */
int service_walk(const struct service *service, char *url,
    service_page_fn *read, void *arg, struct err *err);

/* The same where the pages are those of a call, with the registry's own token,
 * and Link names the next one. */
int service_walk_call(const struct service *service, struct call *call,
    service_page_fn *read, void *arg, struct err *err);

/* Passes a repository on to the service's reader, and keeps what the row, the
 * object that the list has for it, says of it. NULL: it has no name. */
int service_pass(struct service_page *page, const json_t *row,
    const char *repository, struct err *err);

/* The same of "NAMESPACE/NAME"; either may be NULL, and is left out. */
int service_pass_in(struct service_page *page, const json_t *row,
    const char *namespace, const char *name, struct err *err);

/* The same of each row of a list, by what these members of it say; namespace:
 * NULL where the name has it. */
int service_pass_all(struct service_page *page, const json_t *list,
    const char *namespace, const char *name, struct err *err);

/* Keeps what a row says of a tag; NULL: it has no name. */
int service_keep_tag(struct registry *registry, const char *repository,
    const char *tag, const json_t *row, const struct service_fact *facts,
    struct err *err);

/* The same of each row of a list, whose member is the tag. */
int service_keep_tags(struct service_page *page, const json_t *list,
    const char *repository, const char *tag, const struct service_fact *facts,
    struct err *err);

/* The member of a row that a path names, or NULL. */
const json_t *service_member(const json_t *row, const char *path);

/* Sets the next page to the one that Link names, on the server of this one. */
int service_next_link(struct service_page *page, struct err *err);

/* Sends one request, any but a GET without a retry. body: a JSON text, or NULL.
 * Any status. */
int service_send(const struct service *service, const char *method,
    const char *url, const struct buf *body, struct http_response **out,
    struct err *err);

/* The body as JSON, to be given back with json_decref(). */
int service_read_json(const struct service *service,
    struct http_response *response, json_t **out, struct err *err);

/* The error of a status that is not wanted. -errno. */
int service_refused(const struct service *service,
    struct http_response *response, struct err *err);

/* The stored credential for the registry: 1, or 0 if it is missing or has no
 * password. Release it in any case. */
int service_credential(struct registry *registry, struct credential *out,
    struct err *err);

/* "Basic …" of that in *value, or NULL without one; secret_free() it. */
int service_basic(struct registry *registry, char **value, struct err *err);

/* Whether the registry's address is this host, or below it: ".gcr.io". */
bool service_at(const struct registry *registry, const char *host);

/* Whether the realm of its Bearer challenge ends so, as a path does. */
bool service_realm_ends(const struct registry *registry, const char *path);

#endif
