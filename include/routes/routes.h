/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry as the files of container tools have it (config/registries.h), as
 * one source: what is read comes from the first mirror that has it, or from
 * where the files say that it is; what is written goes to the registry. A
 * mirror that fails is left alone for a while. Once something was put into a
 * repository, or deleted, it is read at the registry first.
 */
#ifndef ROUTES_ROUTES_H
#define ROUTES_ROUTES_H

#include <stdbool.h>

#include "base/err.h"
#include "creds/creds.h"
#include "http/http.h"
#include "source/source.h"

struct routes_options {
	const char *address;    /* as of registry_open() */
	const char *repository; /* that, or the namespace, which is wanted */
	bool insecure;          /* of the registry itself */
	const char *lister;     /* likewise, as in registry_options; borrowed */
	unsigned pause; /* seconds that a mirror which failed is left alone */
	bool later;     /* nothing is asked before something is wanted */
};

/* Whether routes_options can have that lister. */
bool routes_lister_known(const char *name);

/*
 * The source of a registry, to be closed with source_close(). Where the files
 * lead nowhere else it is the registry's own. http and creds are borrowed and
 * outlive it. Stored credentials that are refused are said in the log. What
 * registry_open() says, where neither the registry nor a mirror can be asked
 * (later: each call can then fail so);
 * -EINVAL for a file that is broken, -EPERM where one of them forbids it.
 */
int routes_open(struct http *http, struct creds *creds,
    const struct routes_options *options, struct source **out, struct err *err);

#endif
