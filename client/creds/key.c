/* SPDX-License-Identifier: Apache-2.0 */
/* Matching of stored names against registries. */
#include "key.h"

#include <string.h>
#include <strings.h>

/* How well a key matches; a namespace adds its length to the last. */
enum { MATCH_NONE, MATCH_PATH, MATCH_SPELLING, MATCH_HOST };

static const char *const hub_names[] = {
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "registry.hub.docker.com",
};

bool key_is_hub(const char *host, size_t len)
{
	for (size_t i = 0; i < sizeof(hub_names) / sizeof(*hub_names); i++) {
		if (strlen(hub_names[i]) == len &&
		    strncasecmp(hub_names[i], host, len) == 0)
			return true;
	}
	return false;
}

static bool same_host(const char *a, size_t len, const char *b)
{
	if (strlen(b) == len && strncasecmp(a, b, len) == 0)
		return true;
	return key_is_hub(a, len) && key_is_hub(b, strlen(b));
}

static const char *skip_scheme(const char *key)
{
	if (strncasecmp(key, "https://", 8) == 0)
		return key + 8;
	if (strncasecmp(key, "http://", 7) == 0)
		return key + 7;
	return key;
}

/* docker once appended the path of its API to hosts. */
static bool is_api_path(const char *path)
{
	return strcmp(path, "v1") == 0 || strcmp(path, "v1/") == 0 ||
	       strcmp(path, "v2") == 0 || strcmp(path, "v2/") == 0;
}

/* Whether name is the namespace or lies below it. */
static bool within(const char *name, const char *namespace, size_t len)
{
	return strncmp(name, namespace, len) == 0 &&
	       (name[len] == '\0' || name[len] == '/');
}

size_t key_match(const char *key, const char *host, const char *repository)
{
	const char *bare = skip_scheme(key);
	size_t len = strcspn(bare, "/");
	const char *path = bare[len] ? bare + len + 1 : "";

	if (!same_host(bare, len, host))
		return MATCH_NONE;
	if (strcasecmp(key, host) == 0)
		return MATCH_HOST;
	if (!*path || is_api_path(path))
		return MATCH_SPELLING;
	/* Beside a password, docker keeps the tokens that it was made with, of
	 * another server (https://index.docker.io/v1/access-token). */
	if (bare != key)
		return MATCH_PATH;
	if (!repository || !within(repository, path, strlen(path)))
		return MATCH_NONE;
	return MATCH_HOST + strlen(path);
}

char *key_host(const char *key)
{
	const char *bare = skip_scheme(key);
	size_t len = strcspn(bare, "/");

	return key_is_hub(bare, len) ? strdup(hub_names[0])
				     : strndup(bare, len);
}
