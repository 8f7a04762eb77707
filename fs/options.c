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
#include "base/strf.h"
#include "commands/commands.h"
#include "image/images.h"
#include "mount_options.h"

static const uint64_t CACHE_SIZE_DEFAULT = 10ULL << 30;
enum {
	TIMEOUT_DEFAULT = 30,
	MIN_RATE_DEFAULT = 1024,
};

static const char usage[] =
    "usage: registryfs [OPTIONS] [REGISTRY|oci:DIR|oci-archive:FILE]... "
    "MOUNTPOINT\n";

static const char summary[] =
    "Mounts container registries as directories. cp IMAGE.tar\n"
    "MOUNTPOINT/REPOSITORY/TAG.tar pushes, fusermount3 -u MOUNTPOINT ends it.\n"
    "REGISTRY is [http[s]://]HOST[:PORT][/NAMESPACE]; none: all hosts\n"
    "oci:DIR: image layouts; oci-archive:FILE: an archive. Several: "
    "directories.\n"
    "  -f, -d               stay in the foreground and log; -d: every request\n"
    "  --debug=TOPIC,...    show fuse, http, auth, fetch, store, push or all\n"
    "  --version, --help    see registryfs(1)\n"
    "  -o OPTION,...        mount options:\n";

int options_help(struct buf *out, struct err *err)
{
	int r = buf_addstr(out, usage, err);

	if (r == 0)
		r = commands_help(out, err);
	if (r == 0)
		r = buf_addstr(out, summary, err);
	return r < 0 ? r : mount_options_help(out, err);
}

static char *default_cache(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME");
	AUTO_FREE char *home = NULL;

	if (xdg && *xdg == '/')
		return strf("%s/registryfs", xdg);
	home = file_home();
	return home ? strf("%s/.cache/registryfs", home) : NULL;
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

enum { LONG_HELP = 256, LONG_VERSION, LONG_DEBUG, LONG_LIST, LONG_COMMANDS };

/* word: of the command line, in which the flag is. */
static int set_flag(struct options *options, int flag, const char *word,
    struct err *err)
{
	switch (flag) {
	case 'f':
		options->foreground = true;
		return 0;
	case 'd':
		options->foreground = options->debug_fuse = true;
		return 0;
	case 'o':
		return mount_options_set(options, optarg, err);
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
	case LONG_LIST:
		options->action = OPTIONS_LIST;
		return 0;
	case LONG_COMMANDS:
		options->action = OPTIONS_LIST_COMMANDS;
		return 0;
	case 's':
	case 'n':
	case 'v': /* what mount(8) gives its helpers */
		return 0;
	case ':':
		return err_set(err, EINVAL, "the option %s needs a value",
		    word);
	default:
		return err_set(err, EINVAL, "unknown option %s; see --help",
		    word);
	}
}

static int set_arguments(struct options *options, int count, char **arguments,
    struct err *err)
{
	if (options->action != OPTIONS_MOUNT)
		return 0;
	if (count == 0)
		return err_set(err, EINVAL,
		    "a mount point is needed; see --help");
	options->sources = arguments;
	options->source_count = (size_t)count - 1;
	options->mountpoint = arguments[count - 1];
	for (size_t i = 0; i < options->source_count; i++) {
		const char *text = options->sources[i];

		if (!connection_is_on_disk(text) && strpbrk(text, ",\n\t "))
			return err_set(err, EINVAL,
			    "%s is not a registry address", text);
	}
	return 0;
}

int options_parse(struct options *options, int argc, char **argv,
    struct err *err)
{
	static const struct option longs[] = {
	    {"help", no_argument, NULL, LONG_HELP},
	    {"version", no_argument, NULL, LONG_VERSION},
	    {"debug", required_argument, NULL, LONG_DEBUG},
	    {"list-options", no_argument, NULL, LONG_LIST},
	    {"list-commands", no_argument, NULL, LONG_COMMANDS},
	    {NULL, 0, NULL, 0},
	};
	const char *word = argv[1];
	int flag, r = 0;

	*options = (struct options){.cache_size = CACHE_SIZE_DEFAULT,
	    .tag_ttl = TAG_TTL_UNSET,
	    .timeout = TIMEOUT_DEFAULT,
	    .min_rate = MIN_RATE_DEFAULT,
	    .stale = true,
	    .platform = platform_host(),
	    /* Others' files would be nobody's to read. */
	    .squash = geteuid() != 0,
	    .epoch = default_epoch(),
	    .cache = default_cache()};
	if (!options->cache)
		return err_nomem(err);
	opterr = 0;
	while (r == 0 && (flag = getopt_long(argc, argv, ":fdo:hVsnvt:", longs,
			      NULL)) != -1) {
		r = flag == 't' ? 0 : set_flag(options, flag, word, err);
		word = argv[optind];
	}
	return r < 0
		   ? r
		   : set_arguments(options, argc - optind, argv + optind, err);
}

int options_resolve(struct options *options, struct err *err)
{
	for (size_t i = 0; i < options->source_count; i++) {
		char *text = connection_absolute(options->sources[i], err);

		if (!text)
			return -err->code;
		options->sources[i] = text;
		options->resolved++;
	}
	return 0;
}

void options_release(struct options *options)
{
	for (size_t i = 0; i < options->resolved; i++)
		free(options->sources[i]);
	free(options->cache);
}
