/* SPDX-License-Identifier: Apache-2.0 */
/* How the services list their repositories, which _catalog does not: a driver
 * for each of them. */
#ifndef CLIENT_REGISTRY_LISTER_H
#define CLIENT_REGISTRY_LISTER_H

#include "session/session.h"

/* Whom names are for; they need not be valid. */
struct lister_reader {
	source_name_fn *each;
	void *arg;
};

/*
 * One for each service. all: the repositories that the login may see; below:
 * those of a namespace, and that is named "a" or "a/b"; either may be NULL, and
 * both are where _catalog lists all that there is.
 * Both return 0, nonzero of reader->each, or -errno: -EOPNOTSUPP where there is
 * no such list without a login, and err->http where it is refused.
 */
struct lister {
	const char *name; /* as the option list has it */
	/* The service is known to have no _catalog: it is not asked for. */
	bool instead;
	/* All that it lists is all that there is; else more may be there. */
	bool complete;
	/* Whether this is the service: by its host, or by what it says. NULL:
	 * only the user can say so. */
	bool (*matches)(const struct registry *registry);
	int (*all)(struct registry *registry,
	    const struct lister_reader *reader, struct err *err);
	int (*below)(struct registry *registry, const char *prefix,
	    const struct lister_reader *reader, struct err *err);
	/* Keeps what the service says of all tags of a repository, at one
	 * request for many; NULL: nothing. Errors likewise. */
	int (*tags)(struct registry *registry, char *repository,
	    struct err *err);
	/* What the API does beside, NULL where it does not: makes a repository,
	 * removes one, removes a tag and no other of its manifest; finds
	 * repositories by words. Repositories are as the registry names them.
	 * -EOPNOTSUPP where it cannot be asked. */
	int (*make)(struct registry *registry, const char *repository,
	    struct err *err);
	int (*drop)(struct registry *registry, const char *repository,
	    struct err *err);
	int (*untag)(struct registry *registry, const char *repository,
	    const char *tag, struct err *err);
	int (*search)(struct registry *registry, const char *words,
	    const struct lister_reader *reader, struct err *err);
};

extern const struct lister lister_acr, lister_artifactory, lister_dtr,
    lister_ecr, lister_gcr, lister_ghcr, lister_gitea, lister_gitlab,
    lister_harbor, lister_hub, lister_nexus, lister_quay, lister_redhat,
    lister_zot;

#endif
