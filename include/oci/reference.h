/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: repositories, tags, and references that combine them
 * (distribution-spec "Pulling manifests"; the tag and name grammars there).
 */
#ifndef OCI_REFERENCE_H
#define OCI_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "oci/digest.h"

enum {
	TAG_MAX = 128,        /* characters, by the grammar */
	REPOSITORY_MAX = 255, /* what clients and registries agree on */
	/* A DNS name has at most 253 characters, and a port adds 6. */
	REFERENCE_HOST_MAX = 263,
	REFERENCE_NAME_SIZE = REFERENCE_HOST_MAX + 1 + REPOSITORY_MAX + 1,
	/* With a colon and the tag, an at sign and the digest. */
	REFERENCE_TEXT_SIZE =
	    REFERENCE_NAME_SIZE + 1 + TAG_MAX + 1 + DIGEST_TEXT_SIZE,
};

/* The host of Docker Hub in references, whatever server answers for it. */
#define REFERENCE_HUB "docker.io"

/* One component of a repository name: [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* */
bool repository_component_valid(const char *text, size_t len);

/* A whole repository name, components joined by '/'. */
bool repository_valid(const char *text);

/* [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127} */
bool tag_valid(const char *text, size_t len);

/*
 * Whether the tag belongs to the referrers fallback scheme or to a signature
 * tool: <alg>-<hex> with no ending or .sig, .att, .sbom.
 */
bool tag_is_referrers(const char *tag);

/* An image reference "name[:tag][@digest]". */
struct reference {
	char name[REFERENCE_NAME_SIZE]; /* with the registry, as written */
	char tag[TAG_MAX + 1];          /* "" if none */
	struct digest digest;           /* unset if none */
};

/* -EINVAL with a sentence. A port's colon in the name is no tag. */
int reference_parse(struct reference *reference, const char *text,
    struct err *err);

/* Whether clients take the first component of a name for a registry's host:
 * it has a dot or a port, or is "localhost". */
bool reference_host(const char *text, size_t len);

/* The reference as text, whose parts are as they are. Returns out. */
const char *reference_format(const struct reference *reference,
    char out[REFERENCE_TEXT_SIZE]);

/*
 * The same as docker shows it and writes it into archives: of Docker Hub
 * without the host, and without "library/". The name has to begin with a host.
 * Returns out.
 */
const char *reference_familiar(const struct reference *reference,
    char out[REFERENCE_TEXT_SIZE]);

#endif
