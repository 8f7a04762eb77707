/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services whose _catalog lists what a login may see, so that nothing else has
 * to be asked. They are known by name for the option list, and so that no other
 * driver takes them for its own.
 */
#include <string.h>

#include "service/service.h"

/* Its own API wants requests that are signed with the keys of an account, which
 * no login of a registry has. */
static bool is_ecr(const struct registry *registry)
{
	return strstr(registry->address.host, ".dkr.ecr") &&
	       (service_at(registry, ".amazonaws.com") ||
		   service_at(registry, ".amazonaws.com.cn"));
}

static bool is_acr(const struct registry *registry)
{
	return service_at(registry, ".azurecr.io") ||
	       service_at(registry, ".azurecr.cn") ||
	       service_at(registry, ".azurecr.us");
}

/* Gitea and Forgejo. */
static bool is_gitea(const struct registry *registry)
{
	return strcmp(registry->challenges.token.service,
		   "container_registry") == 0 &&
	       service_realm_ends(registry, "/v2/token");
}

static bool is_nexus(const struct registry *registry)
{
	const struct http_challenge *token = &registry->challenges.token;

	return strcmp(token->service, token->realm) == 0 &&
	       service_realm_ends(registry, "/v2/token");
}

const struct lister lister_ecr = {.name = "ecr", .matches = is_ecr};
const struct lister lister_acr = {.name = "acr", .matches = is_acr};
const struct lister lister_gitea = {.name = "gitea", .matches = is_gitea};
const struct lister lister_nexus = {.name = "nexus", .matches = is_nexus};
