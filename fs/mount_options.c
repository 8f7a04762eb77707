/* SPDX-License-Identifier: Apache-2.0 */
/* What follows -o: one table, which is read, printed and listed. */
#include "mount_options.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/strf.h"
#include "sources/connection.h"
#include "watch/webhook.h"

enum {
	TAG_TTL_MAX = 86400, /* seconds */
	TIMEOUT_MAX = 3600,  /* seconds */
	WATCH_MAX = 86400,   /* seconds */
};

/* A number with K, M, G or T. */
static int parse_size(const char *name, const char *text, uint64_t *out,
    struct err *err)
{
	static const char units[] = "KMGT";
	const char *cursor = text, *unit;
	unsigned shift = 0;

	if (!parse_u64(&cursor, UINT64_MAX, out))
		return err_set(err, EINVAL,
		    "%s=%s is not a size, such as 500M or 10G", name, text);
	if (*cursor && (unit = strchr(units, *cursor & ~0x20))) {
		shift = 10 * (unsigned)(unit - units + 1);
		cursor++;
	}
	if (*cursor || *out > UINT64_MAX >> shift)
		return err_set(err, EINVAL,
		    "%s=%s is not a size, such as 500M or 10G", name, text);
	*out <<= shift;
	return 0;
}

/* One byte a second is what a transfer has that stands still no more. */
static int set_min_rate(struct options *options, const char *text,
    struct err *err)
{
	int r = parse_size("min_rate", text, &options->min_rate, err);

	if (r == 0 && options->min_rate == 0)
		return err_set(err, EINVAL, "min_rate=%s: must be at least 1",
		    text);
	return r;
}

static int parse_number(const char *name, const char *text, unsigned min,
    unsigned max, unsigned *out, struct err *err)
{
	const char *cursor = text;
	uint64_t value;

	if (!parse_u64(&cursor, max, &value) || *cursor || value < min)
		return err_set(err, EINVAL,
		    "%s=%s: must be a number from %u to %u", name, text, min,
		    max);
	*out = (unsigned)value;
	return 0;
}

static int set_cache(struct options *options, const char *dir, struct err *err)
{
	if (!*dir)
		return err_set(err, EINVAL, "cache= needs a directory");
	free(options->cache);
	/* Where it is must not change when the program leaves for /. */
	if (*dir == '/') {
		options->cache = strdup(dir);
	} else {
		AUTO_FREE char *here = getcwd(NULL, 0);

		options->cache = here ? strf("%s/%s", here, dir) : NULL;
	}
	return options->cache ? 0 : err_nomem(err);
}

/* What fstab and mount(8) say that is not for us. `suid` and `dev` are among
 * it: mount.fuse3 adds them unasked. */
static bool is_for_others(const char *name)
{
	static const char *const others[] = {"defaults", "auto", "noauto",
	    "user", "users", "nouser", "owner", "group", "_netdev", "nofail",
	    "suid", "nosuid", "dev", "nodev", "async", "relatime", "noatime",
	    "atime", "nodiratime", "strictatime", "lazytime"};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (!strcmp(others[i], name))
			return true;
	}
	return !strncmp(name, "x-", 2) || !strncmp(name, "comment", 7);
}

static int set_delete(struct options *options, const char *value,
    struct err *err)
{
	if (value && strcmp(value, "recursive") != 0)
		return err_set(err, EINVAL,
		    "delete=%s: must be delete or delete=recursive", value);
	options->delete_tags = value ? DELETE_RECURSIVE : DELETE_TAGS;
	return 0;
}

static int set_compression(struct options *options, const char *value,
    struct err *err)
{
	int r = layer_format_parse(&options->compression, value, err);

	return r < 0 ? err_wrap(err, "compression") : 0;
}

static int set_epoch(struct options *options, const char *text, struct err *err)
{
	const char *cursor = text;
	uint64_t seconds;

	if (!parse_u64(&cursor, INT64_MAX, &seconds) || *cursor)
		return err_set(err, EINVAL,
		    "source_date_epoch=%s: must be a number of seconds since "
		    "1970",
		    text);
	options->epoch = (int64_t)seconds;
	return 0;
}

static int set_cache_size(struct options *options, const char *value,
    struct err *err)
{
	return parse_size("cache_size", value, &options->cache_size, err);
}

static int set_tag_ttl(struct options *options, const char *value,
    struct err *err)
{
	return parse_number("tag_ttl", value, 0, TAG_TTL_MAX, &options->tag_ttl,
	    err);
}

static int set_timeout(struct options *options, const char *value,
    struct err *err)
{
	return parse_number("timeout", value, 1, TIMEOUT_MAX, &options->timeout,
	    err);
}

static int set_platform(struct options *options, const char *value,
    struct err *err)
{
	return platform_parse(&options->platform, value, err);
}

static int set_authfile(struct options *options, const char *value,
    struct err *err)
{
	(void)err;
	options->authfile = value;
	return 0;
}

static int set_list(struct options *options, const char *value, struct err *err)
{
	if (!connection_lister_known(value))
		return err_set(err, EINVAL,
		    "list=%s: nothing of that name lists repositories", value);
	options->list = value;
	return 0;
}

/* What has a glob has it after the first colon. */
static int set_watch(struct options *options, const char *value,
    struct err *err)
{
	const char *colon = strchr(value, ':');
	AUTO_FREE char *seconds = strndup(value, strcspn(value, ":"));

	if (!seconds)
		return err_nomem(err);
	options->watch_glob = colon ? colon + 1 : NULL;
	return parse_number("watch", seconds, 1, WATCH_MAX, &options->watch,
	    err);
}

static int set_webhook(struct options *options, const char *value,
    struct err *err)
{
	options->webhook = value;
	return webhook_check(value, err);
}

static int set_hook(struct options *options, const char *value, struct err *err)
{
	(void)err;
	options->hook = value;
	return 0;
}

/* All that -o takes. Those without set() are one bit of struct options. */
static const struct mount_option {
	const char *name;
	const char *opposite; /* of one bit: the name that clears it, or NULL */
	const char *argument; /* what follows "=", or NULL */
	bool optional;        /* it can be left out */
	const char *choices;  /* values that are offered, or NULL */
	const char *help;
	/* value: NULL where the argument was left out. */
	int (*set)(struct options *options, const char *value, struct err *err);
	size_t flag; /* where the bit is that the name sets */
} table[] = {
    {.name = "ro",
	.opposite = "rw",
	.help = "nothing can be pushed",
	.flag = offsetof(struct options, read_only)},
    {.name = "allow_other",
	.help = "other users may enter",
	.flag = offsetof(struct options, allow_other)},
    {.name = "cache",
	.argument = "DIR",
	.help = "where blobs are kept (~/.cache/registryfs)",
	.set = set_cache},
    {.name = "cache_size",
	.argument = "BYTES",
	.help = "how much of them (10G)",
	.set = set_cache_size},
    {.name = "tag_ttl",
	.argument = "SECONDS",
	.help = "how long to keep tags and lists (10; of oci:DIR 1)",
	.set = set_tag_ttl},
    {.name = "offline",
	.help = "ask no registry: show what is cached, write nothing",
	.flag = offsetof(struct options, offline)},
    {.name = "stale",
	.opposite = "no_stale",
	.help = "show a registry that is away as last seen",
	.flag = offsetof(struct options, stale)},
    {.name = "watch",
	.argument = "SECONDS[:GLOB]",
	.help = "look by itself at what others change",
	.set = set_watch},
    {.name = "webhook",
	.argument = "[ADDRESS:]PORT",
	.help = "take notifications of registries, and look",
	.set = set_webhook},
    {.name = "hook",
	.argument = "COMMAND",
	.help = "run it for each event",
	.set = set_hook},
    {.name = "platform",
	.argument = "OS/ARCH[/VARIANT]",
	.choices = "linux/386 linux/amd64 linux/arm/v6 linux/arm/v7 "
		   "linux/arm64 linux/ppc64le linux/riscv64 linux/s390x",
	.help = "the image to show of an index",
	.set = set_platform},
    {.name = "compression",
	.argument = "FORMAT",
	.choices = "gzip zstd estargz zstd:chunked",
	.help = "of pushed layers: gzip, zstd, estargz, zstd:chunked",
	.set = set_compression},
    {.name = "insecure",
	.help = "accept plain HTTP and unverified certificates",
	.flag = offsetof(struct options, insecure)},
    {.name = "delete",
	.argument = "recursive",
	.optional = true,
	.choices = "recursive",
	.help = "allow tags to be removed and renamed; also by rm -r",
	.set = set_delete},
    {.name = "authfile",
	.argument = "FILE",
	.help = "credentials (default: those of docker and podman)",
	.set = set_authfile},
    {.name = "list",
	.argument = "DRIVER",
	.choices = "acr artifactory catalog dtr ecr gcr ghcr gitea gitlab "
		   "harbor hub nexus none quay redhat zot",
	.help = "what lists repositories (default: found out)",
	.set = set_list},
    {.name = "timeout",
	.argument = "SECONDS",
	.help = "how long to wait for a silent server (30)",
	.set = set_timeout},
    {.name = "min_rate",
	.argument = "BYTES",
	.help = "a second; a slower server counts as silent (1K)",
	.set = set_min_rate},
    {.name = "source_date_epoch",
	.argument = "SECONDS",
	.help = "the time to give to images created here",
	.set = set_epoch},
    {.name = "noexec",
	.opposite = "exec",
	.help = "programs cannot be run",
	.flag = offsetof(struct options, noexec)},
    {.name = "trust_suid",
	.help = "honour set-user-ID bits",
	.flag = offsetof(struct options, trust_suid)},
    {.name = "trust_dev",
	.help = "honour device nodes",
	.flag = offsetof(struct options, trust_dev)},
    {.name = "squash",
	.opposite = "no_squash",
	.help = "files of images are yours (unless you are root)",
	.flag = offsetof(struct options, squash)},
    {.name = "prefetch",
	.help = "fetch an image's layers when its rootfs is entered",
	.flag = offsetof(struct options, prefetch)},
    {.name = "referrers",
	.help = "copies of an image include its referrers",
	.flag = offsetof(struct options, referrers)},
};

enum { OPTIONS = sizeof(table) / sizeof(table[0]) };

/* "cache=DIR", "delete[=recursive]" or "ro, rw", then the help, on a line of
 * its own where there is no room for it. */
static int print_help(const struct mount_option *option, struct buf *out,
    struct err *err)
{
	enum { INDENT = 5, COLUMN = 25, LINE = 79 };
	const char *form = option->opposite   ? "%*s%s, %s "
			   : option->optional ? "%*s%s[=%s] "
			   : option->argument ? "%*s%s=%s "
					      : "%*s%s%s ";
	const char *second = option->opposite   ? option->opposite
			     : option->argument ? option->argument
						: "";
	size_t before = out->len;
	int r = buf_addf(out, err, form, INDENT, "", option->name, second);
	size_t width = out->len - before;

	if (r == 0 && width < COLUMN)
		r = buf_addf(out, err, "%*s", (int)(COLUMN - width), "");
	else if (r == 0 && width + strlen(option->help) > LINE)
		r = buf_addf(out, err, "\n%*s", COLUMN, "");
	return r < 0 ? r : buf_addf(out, err, "%s\n", option->help);
}

int mount_options_help(struct buf *out, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < OPTIONS; i++)
		r = print_help(&table[i], out, err);
	return r;
}

static int print_words(const struct mount_option *option, struct buf *out,
    struct err *err)
{
	int r = 0;

	if (!option->argument || option->optional)
		r = buf_addf(out, err, "%s\t\t\t%s\n", option->name,
		    option->help);
	if (r == 0 && option->argument)
		r = buf_addf(out, err, "%s=\t%s\t%s\t%s\n", option->name,
		    option->argument, option->choices ? option->choices : "",
		    option->help);
	if (r == 0 && option->opposite)
		r = buf_addf(out, err, "%s\t\t\tundo %s\n", option->opposite,
		    option->name);
	return r;
}

int mount_options_list(struct buf *out, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < OPTIONS; i++)
		r = print_words(&table[i], out, err);
	return r;
}

/* on: whether the name sets the option's bit, or clears it. */
static const struct mount_option *find(const char *name, bool *on)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		*on = strcmp(table[i].name, name) == 0;
		if (*on ||
		    (table[i].opposite && strcmp(table[i].opposite, name) == 0))
			return &table[i];
	}
	return NULL;
}

static int set_option(struct options *options, char *text, struct err *err)
{
	char *value = strchr(text, '=');
	const struct mount_option *option;
	bool on;

	if (!*text || is_for_others(text))
		return 0;
	if (value)
		*value++ = '\0';
	option = find(text, &on);
	if (!option)
		return err_set(err, EINVAL,
		    "unknown option %s (a comma in a value is written as \\,)",
		    text);
	if (value && !option->argument)
		return err_set(err, EINVAL, "the option %s takes no value",
		    text);
	if (option->argument && !value && !option->optional)
		return err_set(err, EINVAL,
		    "the option %s needs a value: %s=%s", text, text,
		    option->argument);
	if (option->set)
		return option->set(options, value, err);
	*(bool *)((char *)options + option->flag) = on;
	return 0;
}

/* Takes the first option off the list, which is NULL after the last one. In it
 * a backslash stands before a comma that is no separator, and before itself, as
 * libfuse has it. */
static char *next_option(char **list)
{
	char *option = *list, *from = *list, *to = *list;

	while (*from && *from != ',') {
		if (*from == '\\' && from[1])
			from++;
		*to++ = *from++;
	}
	*list = *from ? from + 1 : NULL;
	*to = '\0';
	return option;
}

int mount_options_set(struct options *options, char *list, struct err *err)
{
	int r = 0;

	while (r == 0 && list)
		r = set_option(options, next_option(&list), err);
	return r;
}
