/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the command line. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parse.h"
#include "image/images.h"

static const uint64_t CACHE_SIZE_DEFAULT = 10ULL << 30;
enum {
	TAG_TTL_DEFAULT = 10,
	TAG_TTL_MAX = 86400,
	TIMEOUT_DEFAULT = 30,
	MIN_RATE_DEFAULT = 1024,
	TIMEOUT_MAX = 3600,
};

const char options_help[] =
    "usage: registryfs [OPTIONS] REGISTRY MOUNTPOINT\n"
    "Mounts a container registry as directories. cp IMAGE.tar\n"
    "MOUNTPOINT/REPOSITORY/TAG.tar pushes, fusermount3 -u MOUNTPOINT ends it.\n"
    "REGISTRY is [http[s]://]HOST[:PORT][/NAMESPACE]: docker.io/library\n"
    "\n"
    "  -f, -d               stay in the foreground and log; -d: every request\n"
    "  --debug=TOPIC,...    show fuse, http, auth, fetch, store, push or all\n"
    "  -o OPTION,...        mount options:\n"
    "     ro, allow_other      nothing can be pushed; other users may enter\n"
    "     cache=DIR,cache_size=BYTES   local copies (~/.cache/registryfs,10G)\n"
    "     tag_ttl=SECONDS      seconds to keep tags and lists (10)\n"
    "     platform=OS/ARCH[/VARIANT]   platform to show for multi-platform "
    "images\n"
    "     compression=FORMAT   for pushes: gzip, zstd, estargz, zstd:chunked\n"
    "     insecure             accept unverified TLS certificates, or plain "
    "HTTP\n"
    "     delete[=recursive]   tags can be removed and renamed, also by rm -r\n"
    "     authfile=FILE        credentials (default: those of docker, podman)\n"
    "     timeout=SECONDS      seconds to wait for an unresponsive server "
    "(30)\n"
    "     min_rate=BYTES       bytes a second; a slower server is unresponsive "
    "(1K)\n"
    "     source_date_epoch=SECONDS   the time to give to images created here\n"
    "     noexec,trust_suid,trust_dev  which programs run, and how\n"
    "     squash,no_squash     show images' files as yours (default unless "
    "root)\n"
    "     prefetch             fetch layers when a rootfs is entered\n"
    "     referrers            copies of an image include its referrers\n"
    "  --version, --help    see registryfs(1)\n";

static char *default_cache(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME");
	AUTO_FREE char *home = NULL;

	if (xdg && *xdg == '/')
		return file_path("%s/registryfs", xdg);
	home = file_home();
	return home ? file_path("%s/.cache/registryfs", home) : NULL;
}

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

		options->cache = here ? file_path("%s/%s", here, dir) : NULL;
	}
	return options->cache ? 0 : err_nomem(err);
}

/* Options that are one bit. */
static const struct {
	const char *name;
	size_t offset;
	bool value;
} flags[] = {
    {"ro", offsetof(struct options, read_only), true},
    {"rw", offsetof(struct options, read_only), false},
    {"allow_other", offsetof(struct options, allow_other), true},
    {"insecure", offsetof(struct options, insecure), true},
    {"noexec", offsetof(struct options, noexec), true},
    {"exec", offsetof(struct options, noexec), false},
    {"trust_suid", offsetof(struct options, trust_suid), true},
    {"trust_dev", offsetof(struct options, trust_dev), true},
    {"squash", offsetof(struct options, squash), true},
    {"no_squash", offsetof(struct options, squash), false},
    {"prefetch", offsetof(struct options, prefetch), true},
    {"referrers", offsetof(struct options, referrers), true},
};

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
	if (strcmp(value, "recursive") != 0)
		return err_set(err, EINVAL,
		    "delete=%s: must be delete or delete=recursive", value);
	options->delete_tags = DELETE_RECURSIVE;
	return 0;
}

static int set_compression(struct options *options, const char *value,
    struct err *err)
{
	int r = layer_format_parse(&options->compression, value, err);

	return r < 0 ? err_wrap(err, "compression") : 0;
}

/* What builds are told that are to give the same each time
 * (reproducible-builds.org/specs/source-date-epoch). */
static int64_t default_epoch(void)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t seconds;

	if (epoch && parse_u64(&epoch, INT64_MAX, &seconds) && !*epoch)
		return (int64_t)seconds;
	return EPOCH_NONE;
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

static int set_value(struct options *options, const char *name,
    const char *value, struct err *err)
{
	if (!strcmp(name, "cache"))
		return set_cache(options, value, err);
	if (!strcmp(name, "cache_size"))
		return parse_size(name, value, &options->cache_size, err);
	if (!strcmp(name, "tag_ttl"))
		return parse_number(name, value, 0, TAG_TTL_MAX,
		    &options->tag_ttl, err);
	if (!strcmp(name, "timeout"))
		return parse_number(name, value, 1, TIMEOUT_MAX,
		    &options->timeout, err);
	if (!strcmp(name, "min_rate"))
		return set_min_rate(options, value, err);
	if (!strcmp(name, "delete"))
		return set_delete(options, value, err);
	if (!strcmp(name, "platform"))
		return platform_parse(&options->platform, value, err);
	if (!strcmp(name, "compression"))
		return set_compression(options, value, err);
	if (!strcmp(name, "source_date_epoch"))
		return set_epoch(options, value, err);
	if (strcmp(name, "authfile"))
		return err_set(err, EINVAL, "unknown option %s=", name);
	options->authfile = value;
	return 0;
}

static int set_option(struct options *options, char *text, struct err *err)
{
	char *value = strchr(text, '=');

	if (!*text)
		return 0;
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if (!strcmp(flags[i].name, text)) {
			*(bool *)((char *)options + flags[i].offset) =
			    flags[i].value;
			return 0;
		}
	}
	if (is_for_others(text))
		return 0;
	if (!strcmp(text, "delete")) {
		options->delete_tags = DELETE_TAGS;
		return 0;
	}
	if (!value)
		return err_set(err, EINVAL,
		    "unknown option %s (a comma in a value is written as \\,)",
		    text);
	*value++ = '\0';
	return set_value(options, text, value, err);
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

static int set_options(struct options *options, char *list, struct err *err)
{
	int r = 0;

	while (r == 0 && list)
		r = set_option(options, next_option(&list), err);
	return r;
}

enum { LONG_HELP = 256, LONG_VERSION, LONG_DEBUG };

static int set_flag(struct options *options, int flag, struct err *err)
{
	switch (flag) {
	case 'f':
		options->foreground = true;
		return 0;
	case 'd':
		options->foreground = options->debug_fuse = true;
		return 0;
	case 'o':
		return set_options(options, optarg, err);
	case LONG_DEBUG:
		options->debug = optarg;
		return 0;
	case 'h':
	case LONG_HELP:
		options->action = OPTIONS_HELP;
		return 0;
	case 'V':
	case LONG_VERSION:
		options->action = OPTIONS_VERSION;
		return 0;
	case 's':
	case 'n':
	case 'v': /* what mount(8) gives its helpers */
		return 0;
	default:
		return err_set(err, EINVAL, "unknown option; see --help");
	}
}

static int set_arguments(struct options *options, int count, char **arguments,
    struct err *err)
{
	if (options->action != OPTIONS_MOUNT)
		return 0;
	if (count != 2)
		return err_set(err, EINVAL,
		    "a registry and a mount point are needed; see --help");
	options->registry = arguments[0];
	options->mountpoint = arguments[1];
	if (strpbrk(options->registry, ",\n\t "))
		return err_set(err, EINVAL, "%s is not a registry address",
		    options->registry);
	return 0;
}

int options_parse(struct options *options, int argc, char **argv,
    struct err *err)
{
	static const struct option longs[] = {
	    {"help", no_argument, NULL, LONG_HELP},
	    {"version", no_argument, NULL, LONG_VERSION},
	    {"debug", required_argument, NULL, LONG_DEBUG},
	    {NULL, 0, NULL, 0},
	};
	int flag, r = 0;

	*options = (struct options){.cache_size = CACHE_SIZE_DEFAULT,
	    .tag_ttl = TAG_TTL_DEFAULT,
	    .timeout = TIMEOUT_DEFAULT,
	    .min_rate = MIN_RATE_DEFAULT,
	    .platform = platform_host(),
	    /* Others' files would be nobody's to read. */
	    .squash = geteuid() != 0,
	    .epoch = default_epoch(),
	    .cache = default_cache()};
	if (!options->cache)
		return err_nomem(err);
	opterr = 0;
	while (r == 0 && (flag = getopt_long(argc, argv, "fdo:hVsnvt:", longs,
			      NULL)) != -1)
		r = flag == 't' ? 0 : set_flag(options, flag, err);
	return r < 0
		   ? r
		   : set_arguments(options, argc - optind, argv + optind, err);
}

void options_release(struct options *options)
{
	free(options->cache);
}
