/* SPDX-License-Identifier: Apache-2.0 */
/* The registry in memory. */
#include "registry_double.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "oci/digest.h"
#include "oci/reference.h"

enum { REFERENCE_SIZE = 160, KEY_SIZE = REPOSITORY_MAX + REFERENCE_SIZE + 2 };

/* What a request line asks for. */
struct ask {
	char method[8];
	char repository[REPOSITORY_MAX + 1];
	char kind[16]; /* "blobs", "manifests", "tags", "catalog", or "" */
	char reference[REFERENCE_SIZE];
	char query[1024];
	size_t length; /* of the body */
};

static void parse_path(const char *path, size_t len, struct ask *ask)
{
	static const char *const kinds[] = {"/blobs/", "/manifests/", "/tags/"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const char *kind = strstr(path, kinds[i]);
		const char *rest = kind ? kind + strlen(kinds[i]) : NULL;

		if (!kind || rest > path + len)
			continue;
		snprintf(ask->repository, sizeof(ask->repository), "%.*s",
		    (int)(kind - path), path);
		snprintf(ask->kind, sizeof(ask->kind), "%.*s",
		    (int)strlen(kinds[i]) - 2, kinds[i] + 1);
		snprintf(ask->reference, sizeof(ask->reference), "%.*s",
		    (int)(path + len - rest), rest);
	}
}

static void parse_ask(const char *head, struct ask *ask)
{
	const char *path = strstr(head, " /v2/");
	char length[32] = "0";
	size_t len;

	memset(ask, 0, sizeof(*ask));
	snprintf(ask->method, sizeof(ask->method), "%.*s",
	    (int)strcspn(head, " "), head);
	assert(path);
	path += strlen(" /v2/");
	len = strcspn(path, " ?");
	if (path[len] == '?')
		snprintf(ask->query, sizeof(ask->query), "%.*s",
		    (int)strcspn(path + len + 1, " "), path + len + 1);
	parse_path(path, len, ask);
	if (strncmp(path, "_catalog", len) == 0 && len > 0)
		snprintf(ask->kind, sizeof(ask->kind), "catalog");
	head_field(head, "Content-Length", length, sizeof(length));
	ask->length = strtoul(length, NULL, 10);
}

/* The value of a query's parameter, with "%3A" as ':' and "%2F" as '/'. */
static bool parameter(const struct ask *ask, const char *name, char *out,
    size_t size)
{
	const char *p = strstr(ask->query, name);
	size_t n = 0;

	if (!p)
		return false;
	for (p += strlen(name); *p && *p != '&' && n + 1 < size; p++) {
		unsigned code;

		if (*p == '%' && sscanf(p + 1, "%2x", &code) == 1) {
			out[n++] = (char)code;
			p += 2;
		} else {
			out[n++] = *p;
		}
	}
	out[n] = '\0';
	return true;
}

static const char *make_key(char out[KEY_SIZE], const char *repository,
    const char *reference)
{
	snprintf(out, KEY_SIZE, "%s %s", repository, reference);
	return out;
}

static void stored_free(struct stored *stored)
{
	if (stored)
		free(stored->data);
	free(stored);
}

static void forget_all(struct map *map)
{
	map_foreach (map, slot)
		stored_free(slot->value);
	map_release(map);
	*map = (struct map)MAP_INIT;
}

/* Takes data. */
static void put(struct map *map, const char *repository, const char *reference,
    char *data, size_t len, const char *type)
{
	struct stored *stored = calloc(1, sizeof(*stored));
	char key[KEY_SIZE];

	assert(stored);
	make_key(key, repository, reference);
	stored_free(map_del(map, key));
	stored->data = data;
	stored->len = len;
	snprintf(stored->type, sizeof(stored->type), "%s", type);
	map_put(map, key, stored);
}

static char *copy(const void *data, size_t len)
{
	char *out = malloc(len + 1);

	assert(out);
	memcpy(out, data, len);
	out[len] = '\0';
	return out;
}

static void digest_text(const void *data, size_t len, char *out)
{
	struct digest digest;
	struct err err = ERR_INIT;
	int r = digest_of(DIGEST_SHA256, data, len, &digest, &err);

	assert(r == 0);
	digest_format(&digest, out);
}

static bool reply_stored(struct peer *peer, const struct ask *ask,
    const struct stored *stored)
{
	char head[512], digest[DIGEST_TEXT_SIZE];

	if (!stored)
		return peer_reply(peer, 404, "", "");
	digest_text(stored->data, stored->len, digest);
	snprintf(head, sizeof(head),
	    "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n"
	    "Content-Type: %s\r\nDocker-Content-Digest: %s\r\n\r\n",
	    stored->len, stored->type, digest);
	if (!peer_send(peer, head))
		return false;
	return strcmp(ask->method, "HEAD") == 0 ||
	       peer_send_bytes(peer, stored->data, stored->len);
}

static bool reply_tags(struct registry_double *registry, struct peer *peer,
    const struct ask *ask)
{
	char body[4096];
	bool any = false;
	int n = snprintf(body, sizeof(body), "{\"name\":\"%s\",\"tags\":[",
	    ask->repository);

	map_foreach (&registry->manifests, slot) {
		const char *reference = strchr(slot->key, ' ') + 1;
		size_t len = strlen(ask->repository);

		if (strncmp(slot->key, ask->repository, len) != 0 ||
		    slot->key[len] != ' ' || strchr(reference, ':'))
			continue;
		n += snprintf(body + n, sizeof(body) - (size_t)n, "%s\"%s\"",
		    any ? "," : "", reference);
		any = true;
	}
	snprintf(body + n, sizeof(body) - (size_t)n, "]}");
	return peer_reply(peer, any ? 200 : 404, "", any ? body : "");
}

static bool answer_get(struct registry_double *registry, struct peer *peer,
    const struct ask *ask)
{
	SCOPED_LOCK(&registry->lock);
	char key[KEY_SIZE];

	make_key(key, ask->repository, ask->reference);
	/* It lists no repository, as a registry may. */
	if (strcmp(ask->kind, "catalog") == 0)
		return peer_reply(peer, 200, "", "{\"repositories\":[]}");
	if (strcmp(ask->kind, "tags") == 0)
		return reply_tags(registry, peer, ask);
	if (strcmp(ask->kind, "manifests") == 0) {
		const struct stored *manifest =
		    map_get(&registry->manifests, key);

		if (!manifest && strcmp(ask->method, "GET") == 0)
			return peer_reply(peer, 404, "",
			    "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}");
		return reply_stored(peer, ask, manifest);
	}
	if (strcmp(ask->kind, "blobs") != 0)
		return peer_reply(peer, *ask->kind ? 404 : 200, "", "{}");
	registry->heads += strcmp(ask->method, "HEAD") == 0;
	return reply_stored(peer, ask, map_get(&registry->blobs, key));
}

/* A mount, or the start of an upload. */
static bool answer_post(struct registry_double *registry, struct peer *peer,
    const struct ask *ask)
{
	SCOPED_LOCK(&registry->lock);
	char digest[REFERENCE_SIZE], from[REPOSITORY_MAX + 1], key[KEY_SIZE];
	char fields[512];

	if (parameter(ask, "mount=", digest, sizeof(digest)) &&
	    parameter(ask, "from=", from, sizeof(from))) {
		const struct stored *blob =
		    map_get(&registry->blobs, make_key(key, from, digest));

		if (registry->refuse_mounts)
			return peer_reply(peer, registry->refuse_mounts, "",
			    "{}");
		if (blob) {
			put(&registry->blobs, ask->repository, digest,
			    copy(blob->data, blob->len), blob->len, "");
			registry->mounts++;
			return peer_reply(peer, 201, "", "");
		}
	}
	if (registry->refuse_uploads)
		return peer_reply(peer, registry->refuse_uploads, "",
		    "{\"errors\":[{\"code\":\"DENIED\","
		    "\"message\":\"no more blobs\"}]}");
	snprintf(fields, sizeof(fields),
	    "Location: /v2/%s/blobs/uploads/session\r\n", ask->repository);
	return peer_reply(peer, 202, fields, "");
}

static bool finish_upload(struct registry_double *registry, struct peer *peer,
    const struct ask *ask, char *data)
{
	SCOPED_LOCK(&registry->lock);
	char claimed[REFERENCE_SIZE] = "", digest[DIGEST_TEXT_SIZE];

	registry->held += registry->holding;
	pthread_cond_broadcast(&registry->changed);
	while (registry->holding)
		pthread_cond_wait(&registry->changed, &registry->lock);
	digest_text(data, ask->length, digest);
	parameter(ask, "digest=", claimed, sizeof(claimed));
	if (strcmp(digest, claimed) != 0) {
		free(data);
		return peer_reply(peer, 400, "",
		    "{\"errors\":[{\"code\":\"DIGEST_INVALID\"}]}");
	}
	registry->uploads++;
	put(&registry->blobs, ask->repository, digest, data, ask->length, "");
	return peer_reply(peer, 201, "", "");
}

static bool put_manifest(struct registry_double *registry, struct peer *peer,
    const struct ask *ask, const char *head, char *data)
{
	SCOPED_LOCK(&registry->lock);
	char type[128] = "", digest[DIGEST_TEXT_SIZE];

	if (registry->refuse_manifests) {
		free(data);
		return peer_reply(peer, registry->refuse_manifests, "",
		    "{\"errors\":[{\"code\":\"DENIED\","
		    "\"message\":\"this tag is immutable\"}]}");
	}
	registry->manifest_puts++;
	head_field(head, "Content-Type", type, sizeof(type));
	digest_text(data, ask->length, digest);
	put(&registry->manifests, ask->repository, digest,
	    copy(data, ask->length), ask->length, type);
	if (strcmp(digest, ask->reference) != 0)
		put(&registry->manifests, ask->repository, ask->reference,
		    copy(data, ask->length), ask->length, type);
	free(data);
	return peer_reply(peer, 201, "", "");
}

static bool answer_put(struct registry_double *registry, struct peer *peer,
    const struct ask *ask, const char *head)
{
	char *data = malloc(ask->length + 1);
	char expect[32];

	assert(data);
	if (head_field(head, "Expect", expect, sizeof(expect)))
		peer_send(peer, "HTTP/1.1 100 Continue\r\n\r\n");
	if (!peer_receive(peer, data, ask->length)) {
		free(data);
		return false;
	}
	data[ask->length] = '\0';
	if (strcmp(ask->kind, "blobs") == 0)
		return finish_upload(registry, peer, ask, data);
	return put_manifest(registry, peer, ask, head, data);
}

static bool answer_delete(struct registry_double *registry, struct peer *peer,
    const struct ask *ask)
{
	SCOPED_LOCK(&registry->lock);
	char key[KEY_SIZE];
	struct stored *gone;

	if (strcmp(ask->kind, "manifests") != 0)
		return peer_reply(peer, 202, "", "");
	gone = map_del(&registry->manifests,
	    make_key(key, ask->repository, ask->reference));
	if (!gone)
		return peer_reply(peer, 404, "", "{}");
	free(gone->data);
	free(gone);
	return peer_reply(peer, 202, "", "");
}

static bool answer(struct peer *peer, const char *head, void *arg)
{
	struct registry_double *registry = arg;
	struct ask ask;

	parse_ask(head, &ask);
	if (strcmp(ask.method, "POST") == 0)
		return answer_post(registry, peer, &ask);
	if (strcmp(ask.method, "PUT") == 0)
		return answer_put(registry, peer, &ask, head);
	if (strcmp(ask.method, "DELETE") == 0)
		return answer_delete(registry, peer, &ask);
	return answer_get(registry, peer, &ask);
}

struct registry_double *registry_double_new(void)
{
	struct registry_double *registry = calloc(1, sizeof(*registry));

	assert(registry);
	pthread_mutex_init(&registry->lock, NULL);
	pthread_cond_init(&registry->changed, NULL);
	registry->server = server_start(answer, registry);
	return registry;
}

void registry_double_free(struct registry_double *registry)
{
	server_stop(registry->server);
	forget_all(&registry->blobs);
	forget_all(&registry->manifests);
	pthread_cond_destroy(&registry->changed);
	pthread_mutex_destroy(&registry->lock);
	free(registry);
}

const struct stored *registry_double_manifest(struct registry_double *registry,
    const char *repository, const char *reference)
{
	SCOPED_LOCK(&registry->lock);
	char key[KEY_SIZE];

	return map_get(&registry->manifests,
	    make_key(key, repository, reference));
}

const struct stored *registry_double_blob(struct registry_double *registry,
    const char *repository, const char *digest)
{
	SCOPED_LOCK(&registry->lock);
	char key[KEY_SIZE];

	return map_get(&registry->blobs, make_key(key, repository, digest));
}

void registry_double_lose_blobs(struct registry_double *registry)
{
	SCOPED_LOCK(&registry->lock);

	forget_all(&registry->blobs);
}

void registry_double_hold(struct registry_double *registry, bool hold)
{
	SCOPED_LOCK(&registry->lock);

	registry->holding = hold;
	pthread_cond_broadcast(&registry->changed);
}

void registry_double_await_held(struct registry_double *registry,
    unsigned count)
{
	SCOPED_LOCK(&registry->lock);

	while (registry->held < count)
		pthread_cond_wait(&registry->changed, &registry->lock);
}
