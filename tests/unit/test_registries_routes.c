/* SPDX-License-Identifier: Apache-2.0 */
/* Where repositories are, by the registries.conf of a user. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/strf.h"
#include "config/registries.h"
#include "scratch.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct scratch home;

static void write_file(const char *name, const char *text)
{
	AUTO_FREE char *path =
	    strf("%s/.config/containers/%s", home.path, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static const char main_file[] =
    "[[registry]]\nprefix = 'r.x'\nlocation = 'r.x'\n"
    "[[registry.mirror]]\nlocation = 'm.x/all'\n"
    "[[registry.mirror]]\nlocation = 'd.x'\npull-from-mirror = 'digest-only'\n"
    "[[registry]]\nprefix = 'r.x/moved'\nlocation = 'n.x:5000/to/here'\n"
    "insecure = true\n"
    "[[registry]]\nlocation = 'r.x/closed'\nblocked = true\n"
    "[[registry]]\nlocation = 'r.x/some:1.0'\nblocked = true\n"
    "[[registry]]\nprefix = '*.w.x'\nlocation = 't.x'\n"
    "[[registry]]\nprefix = 'plain.x'\nlocation = 'plain.x'\ninsecure = true\n"
    "[[registry]]\nprefix = 'docker.io/library'\nlocation = 'hub.x/lib'\n";

/* "mirror…, registry; where it is written" */
static void print(const struct route *route, struct buf *out)
{
	struct err err = ERR_INIT;

	if (route->blocked_by) {
		buf_addstr(out, "blocked", &err);
		return;
	}
	for (size_t i = 0; i < route->count; i++)
		buf_addf(out, &err, "%s|%s%s%s%s ", route->reads[i].address,
		    route->reads[i].repository,
		    route->reads[i].by_tag ? "" : " digests",
		    route->reads[i].by_digest ? "" : " tags",
		    route->reads[i].trust->insecure ? " insecure" : "");
	buf_addf(out, &err, "> %s|%s", route->writes.address,
	    route->writes.repository);
}

static const struct {
	const char *host, *repository, *reference, *route;
} cases[] = {
    {"r.x", "app", NULL, "m.x|all/app d.x|app digests r.x|app > r.x|app"},
    {"r.x", "moved", NULL, "n.x:5000|to/here insecure > r.x|moved"},
    {"r.x", "moved/a/b", "1.0",
	"n.x:5000|to/here/a/b insecure > r.x|moved/a/b"},
    {"r.x", "movedon", NULL,
	"m.x|all/movedon d.x|movedon digests r.x|movedon > r.x|movedon"},
    {"r.x", "closed/a", NULL, "blocked"},
    {"r.x", "some", "1.0", "blocked"},
    {"r.x", "some", "1.0.1",
	"m.x|all/some d.x|some digests r.x|some > r.x|some"},
    {"r.x", "some", NULL, "m.x|all/some d.x|some digests r.x|some > r.x|some"},
    {"r.x:5000", "app", NULL, "r.x:5000|app > r.x:5000|app"},
    {"a.b.w.x:80", "app", NULL, "t.x|app > a.b.w.x:80|app"},
    {"plain.x", "app", NULL, "plain.x|app insecure > plain.x|app"},
    {"docker.io", "library/alpine", NULL,
	"hub.x|lib/alpine > docker.io|library/alpine"},
    {"docker.io", "team/app", NULL, "docker.io|team/app > docker.io|team/app"},
    {"other.x", "app", NULL, "other.x|app > other.x|app"},
};

static void routes(void **state)
{
	(void)state;
	write_file("registries.conf", main_file);
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(registries_close_p)
		struct registries *registries = NULL;
		CLEANUP(route_release) struct route route = {0};
		AUTO_BUF struct buf out = BUF_INIT(1 << 12);
		struct err err = ERR_INIT;

		assert_int_equal(registries_open(cases[i].host, &registries,
				     &err),
		    0);
		assert_int_equal(registries_route(registries,
				     cases[i].repository, cases[i].reference,
				     &route, &err),
		    0);
		print(&route, &out);
		assert_string_equal(buf_str(&out), cases[i].route);
	}
}

static struct registries *open_host(const char *host)
{
	struct registries *registries = NULL;
	struct err err = ERR_INIT;

	if (registries_open(host, &registries, &err) < 0)
		fail_msg("%s", err.msg);
	return registries;
}

static void lead_away(void **state)
{
	static const struct {
		const char *host;
		bool away, insecure;
	} hosts[] = {
	    {"r.x", true, false},
	    {"r.x:5000", false, false},
	    {"plain.x", false, true},
	    {"w.x", false, false},
	    {"a.w.x", true, false},
	    {"docker.io", true, false},
	    {"other.x", false, false},
	};

	(void)state;
	write_file("registries.conf", main_file);
	for (size_t i = 0; i < COUNT(hosts); i++) {
		CLEANUP(registries_close_p)
		struct registries *registries = open_host(hosts[i].host);

		assert_int_equal(registries_lead_away(registries),
		    hosts[i].away);
		assert_int_equal(registries_trust(registries)->insecure,
		    hosts[i].insecure);
	}
}

static void parts(void **state)
{
	CLEANUP(registries_close_p) struct registries *registries = NULL;

	(void)state;
	write_file("registries.conf", main_file);
	registries = open_host("r.x");
	assert_string_equal(registries_parts(registries, 0), "");
	assert_string_equal(registries_parts(registries, 1), "moved");
	assert_string_equal(registries_parts(registries, 2), "closed");
	assert_null(registries_parts(registries, 3));
	assert_string_equal(registries_part(registries, "moved/a"), "moved");
	assert_string_equal(registries_part(registries, "movedon"), "");
	assert_string_equal(registries_part(registries, "app"), "");
}

static int add_host(void *arg, const char *host, struct err *err)
{
	return buf_addf(arg, err, "%s ", host);
}

static void hosts(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(1 << 12);
	struct err err = ERR_INIT;

	(void)state;
	write_file("registries.conf", main_file);
	assert_int_equal(registries_hosts(add_host, &out, &err), 0);
	assert_string_equal(buf_str(&out), "r.x r.x plain.x docker.io ");
}

/* Drop-ins in the order of their names, each after the main file. */
static void drop_ins(void **state)
{
	static const char text[] =
	    "[[registry]]\nprefix = 'r.x'\nlocation = '%s'\n";
	CLEANUP(route_release) struct route route = {0};
	CLEANUP(registries_close_p) struct registries *registries = NULL;
	struct err err = ERR_INIT;
	char file[256];

	(void)state;
	write_file("registries.conf", main_file);
	snprintf(file, sizeof(file), text, "ten.x");
	write_file("registries.conf.d/10.conf", file);
	snprintf(file, sizeof(file), text, "nine.x");
	write_file("registries.conf.d/9.conf", file);
	write_file("registries.conf.d/99.conf~", "broken");
	registries = open_host("r.x");
	assert_int_equal(registries_route(registries, "app", NULL, &route,
			     &err),
	    0);
	assert_int_equal(route.count, 1);
	assert_string_equal(route.reads[0].address, "nine.x");
	registries_close(steal(&registries));
	write_file("registries.conf.d/9.conf", "\nbroken");
	assert_int_equal(registries_open("r.x", &registries, &err), -EINVAL);
	assert_non_null(strstr(err.msg,
	    "/.config/containers/registries.conf.d/9.conf: line 2: "));
	write_file("registries.conf.d/9.conf", "");
	write_file("registries.conf.d/10.conf", "");
}

static void by_variable(void **state)
{
	AUTO_FREE char *path = strf("%s/elsewhere.conf", home.path);
	AUTO_FREE char *name = strf("../../elsewhere.conf");
	struct registries *registries = NULL;
	struct err err = ERR_INIT;

	(void)state;
	write_file("registries.conf", main_file);
	setenv("CONTAINERS_REGISTRIES_CONF", path, 1);
	assert_int_equal(registries_open("plain.x", &registries, &err),
	    -ENOENT);
	assert_non_null(strstr(err.msg, path));
	write_file(name, "");
	registries = open_host("plain.x");
	unsetenv("CONTAINERS_REGISTRIES_CONF");
	assert_false(registries_trust(registries)->insecure);
	registries_close(registries);
}

static int make_home(void **state)
{
	AUTO_FREE char *dir = NULL;
	struct err err = ERR_INIT;

	(void)state;
	if (scratch_make(&home) < 0)
		return -1;
	dir = strf("%s/.config/containers/registries.conf.d", home.path);
	setenv("HOME", home.path, 1);
	unsetenv("CONTAINERS_REGISTRIES_CONF");
	return file_mkdirs(dir, 0700, &err);
}

static int remove_home(void **state)
{
	(void)state;
	return scratch_remove(&home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(routes),
	    cmocka_unit_test(lead_away),
	    cmocka_unit_test(parts),
	    cmocka_unit_test(hosts),
	    cmocka_unit_test(drop_ins),
	    cmocka_unit_test(by_variable),
	};

	return cmocka_run_group_tests(tests, make_home, remove_home);
}
