/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "image/images.h"
#include "options.h"

enum { ARGS_MAX = 16 };

/* Parses a command line given as words; the strings it is cut from last until
 * the next call. */
static int parse(struct options *options, const char *line, struct err *err)
{
	static char text[512];
	static char *argv[ARGS_MAX + 1];
	char *rest = text;
	int argc = 0;

	memset(argv, 0, sizeof(argv));
	strncpy(text, line, sizeof(text) - 1);
	while (argc < ARGS_MAX && (argv[argc] = strsep(&rest, " ")))
		argc++;
	optind = 0;
	return options_parse(options, argc, argv, err);
}

static void test_defaults(void **state)
{
	struct options options;
	struct err err = ERR_INIT;

	(void)state;
	setenv("XDG_CACHE_HOME", "/var/tmp/cache", 1);
	unsetenv("SOURCE_DATE_EPOCH");
	assert_int_equal(parse(&options, "x localhost:5000 /mnt", &err), 0);
	assert_int_equal(options.source_count, 1);
	assert_string_equal(options.sources[0], "localhost:5000");
	assert_string_equal(options.mountpoint, "/mnt");
	assert_string_equal(options.cache, "/var/tmp/cache/registryfs");
	assert_false(options.foreground);
	assert_false(options.read_only);
	/* It depends on what is mounted. */
	assert_true(options.tag_ttl == TAG_TTL_UNSET);
	assert_true(options.cache_size == 10ULL << 30);
	assert_int_equal(options.min_rate, 1024);
	assert_int_equal(options.epoch, EPOCH_NONE);
	options_release(&options);
}

static void test_options(void **state)
{
	struct options options;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
	    parse(&options,
		"x -f -o ro,allow_other,cache=/c,cache_size=64M,tag_ttl=0 "
		"-o min_rate=2K -o "
		"platform=linux/arm64/v8,insecure,authfile=/a,timeout=5,delete "
		"-o compression=zstd:chunked:7 "
		"-o source_date_epoch=1700000000 --debug=http,fetch reg /mnt",
		&err),
	    0);
	assert_true(options.foreground && options.read_only);
	assert_true(options.allow_other && options.insecure);
	assert_string_equal(options.cache, "/c");
	assert_true(options.cache_size == 64 << 20);
	assert_int_equal(options.tag_ttl, 0);
	assert_int_equal(options.timeout, 5);
	assert_int_equal(options.min_rate, 2048);
	assert_string_equal(options.platform.architecture, "arm64");
	assert_string_equal(options.platform.variant, "v8");
	assert_string_equal(options.authfile, "/a");
	assert_int_equal(options.compression.kind, LAYER_ZSTD_CHUNKED);
	assert_int_equal(options.compression.level, 7);
	assert_int_equal(options.epoch, 1700000000);
	assert_string_equal(options.debug, "http,fetch");
	assert_int_equal(options.delete_tags, DELETE_TAGS);
	options_release(&options);
}

static void test_sources(void **state)
{
	static const struct {
		const char *line;
		size_t count;
	} lines[] = {
	    {"x /mnt", 0},
	    {"x reg /mnt", 1},
	    {"x reg:5000/team oci:/srv/a,b ghcr.io /mnt", 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct options options;
		struct err err = ERR_INIT;

		assert_int_equal(parse(&options, lines[i].line, &err), 0);
		assert_int_equal(options.source_count, lines[i].count);
		assert_string_equal(options.mountpoint, "/mnt");
		options_release(&options);
	}
}

/* What mount(8) and fstab say is taken and means nothing; suid and dev that
 * mount.fuse3 adds do not count. */
static void test_mount_helper(void **state)
{
	struct options options;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse(&options,
			     "mount.fuse.registryfs reg /mnt -n -v -o "
			     "rw,noauto,user,noexec,_netdev,x-systemd."
			     "automount,suid,dev",
			     &err),
	    0);
	assert_true(options.noexec);
	assert_false(options.trust_suid || options.trust_dev);
	options_release(&options);
}

static void test_relative_cache(void **state)
{
	struct options options;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse(&options, "x -o cache=here r /m", &err), 0);
	assert_int_equal(options.cache[0], '/');
	assert_string_equal(strrchr(options.cache, '/'), "/here");
	options_release(&options);
}

static void test_delete(void **state)
{
	struct options options;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse(&options, "x reg /mnt", &err), 0);
	assert_int_equal(options.delete_tags, DELETE_NOTHING);
	options_release(&options);
	assert_int_equal(parse(&options, "x -o delete=recursive reg /mnt",
			     &err),
	    0);
	assert_int_equal(options.delete_tags, DELETE_RECURSIVE);
	options_release(&options);
}

static void test_refused(void **state)
{
	static const char *const lines[] = {
	    "x",
	    "x --nonsense reg /mnt",
	    "x -o nonsense reg /mnt",
	    "x -o nonsense=1 reg /mnt",
	    "x -o cache_size=12Q reg /mnt",
	    "x -o cache_size=99999999999999999999 reg /mnt",
	    "x -o cache_size=99999999T reg /mnt",
	    "x -o tag_ttl=-1 reg /mnt",
	    "x -o tag_ttl=ten reg /mnt",
	    "x -o timeout=0 reg /mnt",
	    "x -o min_rate=0 reg /mnt",
	    "x -o min_rate=fast reg /mnt",
	    "x -o delete=all reg /mnt",
	    "x -o source_date_epoch=-1 reg /mnt",
	    "x -o source_date_epoch=today reg /mnt",
	    "x -o platform=linux reg /mnt",
	    "x -o compression=xz reg /mnt",
	    "x -o compression= reg /mnt",
	    "x -o compression=gzipped reg /mnt",
	    "x -o compression=gzip: reg /mnt",
	    "x -o compression=gzip:10 reg /mnt",
	    "x -o compression=estargz:10 reg /mnt",
	    "x -o compression=zstd:0 reg /mnt",
	    "x -o compression=zstd:23 reg /mnt",
	    "x -o compression=zstd:chunks reg /mnt",
	    "x -o compression=zstd:chunked:3: reg /mnt",
	    "x reg,ro /mnt",
	    "x reg other,ro /mnt",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct options options;
		struct err err = ERR_INIT;

		print_message("%s\n", lines[i]);
		assert_int_equal(parse(&options, lines[i], &err), -EINVAL);
		assert_true(*err.msg);
		options_release(&options);
	}
}

static void test_help(void **state)
{
	struct options options;
	struct buf page = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;
	size_t lines = 0;

	(void)state;
	assert_int_equal(parse(&options, "x --help", &err), 0);
	assert_int_equal(options.action, OPTIONS_HELP);
	options_release(&options);
	assert_int_equal(parse(&options, "x --version", &err), 0);
	assert_int_equal(options.action, OPTIONS_VERSION);
	options_release(&options);
	/* On one screen of a usual terminal window. */
	assert_int_equal(options_help(&page, &err), 0);
	for (const char *at = buf_str(&page); *at; at = strchr(at, '\n') + 1) {
		assert_true(strcspn(at, "\n") < 80);
		lines++;
	}
	assert_true(lines <= 38);
	buf_release(&page);
}

static void test_commas(void **state)
{
	struct options options;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse(&options,
			     "x -o ro,cache=/a\\,b\\\\c,timeout=7,,rw h /mnt",
			     &err),
	    0);
	assert_string_equal(options.cache, "/a,b\\c");
	assert_int_equal(options.timeout, 7);
	assert_false(options.read_only);
	options_release(&options);
	assert_int_equal(parse(&options, "x -o cache=/a,b h /mnt", &err),
	    -EINVAL);
	assert_non_null(strstr(err.msg, "option b (a comma"));
	options_release(&options);
	assert_int_equal(parse(&options, "x -o cache=/a\\ h /mnt", &err), 0);
	assert_string_equal(options.cache, "/a\\");
	options_release(&options);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_commas),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_options),
	    cmocka_unit_test(test_mount_helper),
	    cmocka_unit_test(test_relative_cache),
	    cmocka_unit_test(test_delete),
	    cmocka_unit_test(test_sources),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
