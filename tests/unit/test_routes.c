/* SPDX-License-Identifier: Apache-2.0 */
/* A registry and its mirror: who is asked, and who is left alone until when. */
#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include "base/file.h"
#include "base/strf.h"
#include "registry_fixture.h"
#include "routes/routes.h"
#include "scratch.h"

#define HOST "registry.example.com"
#define DIGEST \
	"sha256:" \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* What a server answers with, and what it was asked. */
struct side {
	atomic_int status;
	atomic_uint asked; /* for manifests */
};

struct world {
	struct scratch home;
	struct side sides[2]; /* the registry, its mirror */
	struct server *servers[2];
	struct http *http;
	struct creds *creds;
	struct source *source;
};

static bool answer(struct peer *peer, const char *head, void *arg)
{
	struct side *side = arg;

	if (head_is_for(head, "/v2/"))
		return peer_reply(peer, 200, "", "");
	/* It knows no TLS. */
	if (!head_asks(head, "/manifests/"))
		return false;
	atomic_fetch_add(&side->asked, 1);
	return peer_reply(peer, atomic_load(&side->status),
	    "Docker-Content-Digest: " DIGEST "\r\n"
	    "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n",
	    "");
}

static void write_conf(const struct world *world)
{
	AUTO_FREE char *dir = strf("%s/.config/containers", world->home.path);
	AUTO_FREE char *path = strf("%s/registries.conf", dir);
	struct err err = ERR_INIT;
	FILE *file;

	assert_int_equal(file_mkdirs(dir, 0700, &err), 0);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file,
	    "[[registry]]\nprefix = '" HOST "'\nlocation = '%s'\n"
	    "[[registry.mirror]]\nlocation = '%s'\n",
	    server_url(world->servers[0], "") + strlen("http://"),
	    server_url(world->servers[1], "") + strlen("http://"));
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	static const struct http_options options = {.user_agent = "test",
	    .connect_timeout = 10,
	    .stall_timeout = 20,
	    .min_rate = 1024,
	    .attempts = 3,
	    .max_wait = 5,
	    .host_connections = 8};
	static const struct routes_options where = {.address = HOST,
	    .pause = 1};
	struct world *world = calloc(1, sizeof(*world));
	struct err err = ERR_INIT;

	*state = world;
	assert_non_null(world);
	assert_int_equal(scratch_make(&world->home), 0);
	setenv("HOME", world->home.path, 1);
	unsetenv("CONTAINERS_REGISTRIES_CONF");
	for (int i = 0; i < 2; i++) {
		atomic_init(&world->sides[i].status, 200);
		world->servers[i] = server_start(answer, &world->sides[i]);
	}
	write_conf(world);
	world->http = http_new(&options, &err);
	world->creds = creds_new(NULL, &err);
	assert_non_null(world->http);
	assert_non_null(world->creds);
	if (routes_open(world->http, world->creds, &where, &world->source,
		&err) < 0)
		fail_msg("%s", err.msg);
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	source_close(world->source);
	creds_free(world->creds);
	http_free(world->http);
	server_stop(world->servers[0]);
	server_stop(world->servers[1]);
	scratch_remove(&world->home);
	free(world);
	return 0;
}

/* Asks what a tag names; how often the registry and the mirror were asked. */
static void expect_asked(struct world *world, int result, unsigned registry,
    unsigned mirror)
{
	struct digest digest;
	struct err err = ERR_INIT;

	atomic_store(&world->sides[0].asked, 0);
	atomic_store(&world->sides[1].asked, 0);
	assert_int_equal(source_manifest_head(world->source, "app", "1.0",
			     &digest, &err),
	    result);
	assert_int_equal(atomic_load(&world->sides[0].asked), registry);
	assert_int_equal(atomic_load(&world->sides[1].asked), mirror);
}

/* Asks until the mirror is asked again. */
static void await_mirror(struct world *world)
{
	const struct timespec moment = {0, 50 * 1000 * 1000};
	struct digest digest;
	struct err err = ERR_INIT;

	atomic_store(&world->sides[1].asked, 0);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(source_manifest_head(world->source, "app",
				     "1.0", &digest, &err),
		    0);
		if (atomic_load(&world->sides[1].asked) > 0)
			return;
		nanosleep(&moment, NULL);
	}
	fail_msg("the mirror was not asked again");
}

static void mirror_first(void **state)
{
	struct world *world = *state;

	expect_asked(world, 0, 0, 1);
	atomic_store(&world->sides[1].status, 404);
	expect_asked(world, 0, 1, 1);
	expect_asked(world, 0, 1, 1);
	atomic_store(&world->sides[0].status, 404);
	expect_asked(world, -ENOENT, 1, 1);
}

static void left_alone(void **state)
{
	struct world *world = *state;

	/* A HEAD, and a GET that may say why. */
	atomic_store(&world->sides[1].status, 503);
	expect_asked(world, 0, 1, 2);
	expect_asked(world, 0, 1, 0);
	await_mirror(world);
	expect_asked(world, 0, 1, 0);
	atomic_store(&world->sides[1].status, 200);
	await_mirror(world);
	expect_asked(world, 0, 0, 1);
}

/* Refused for one repository is not refused for all. */
static void refused(void **state)
{
	struct world *world = *state;

	atomic_store(&world->sides[1].status, 403);
	expect_asked(world, 0, 1, 2);
	expect_asked(world, 0, 1, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(mirror_first, setup, teardown),
	    cmocka_unit_test_setup_teardown(left_alone, setup, teardown),
	    cmocka_unit_test_setup_teardown(refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
