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
	TAG_MAX = 128,       /* characters, by the grammar */
	REPOSITORY_MAX = 255 /* what clients and registries agree on */
};

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

/* An image reference "name[:tag][@digest]" as found in archives. */
struct reference {
	char name[REPOSITORY_MAX + 1 + 256]; /* with the registry, as written */
	char tag[TAG_MAX + 1];               /* "" if none */
	struct digest digest;                /* unset if none */
};

/* -EINVAL with a sentence. A port's colon in the name is no tag. */
int reference_parse(struct reference *reference, const char *text,
    struct err *err);

#endif
