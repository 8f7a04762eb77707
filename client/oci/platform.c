/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms: their text form, and which image serves which machine. */
#include "oci/platform.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

/* What kernels, compilers and distributions call an architecture that image
 * specifications call by Go's name. */
static const struct alias {
	const char *name;
	const char *architecture;
	const char *variant;
} aliases[] = {
    {"x86_64", "amd64", ""},
    {"x86-64", "amd64", ""},
    {"i386", "386", ""},
    {"i486", "386", ""},
    {"i586", "386", ""},
    {"i686", "386", ""},
    {"aarch64", "arm64", ""},
    {"armv8l", "arm", "v8"},
    {"armv7l", "arm", "v7"},
    {"armhf", "arm", "v7"},
    {"armv6l", "arm", "v6"},
    {"armel", "arm", "v6"},
    {"armv5tel", "arm", "v5"},
    {"loongarch64", "loong64", ""},
};

/* Architectures whose variants are levels, each including those below it. */
static const struct ladder {
	const char *architecture;
	int unnamed; /* the level of a platform that names no variant */
} ladders[] = {
    {"amd64", 1},
    {"arm", 7},
    {"arm64", 8},
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void copy(char out[PLATFORM_NAME_SIZE], const char *text)
{
	snprintf(out, PLATFORM_NAME_SIZE, "%s", text);
}

static void use_alias(struct platform *platform)
{
	for (size_t i = 0; i < LENGTH(aliases); i++) {
		if (strcmp(platform->architecture, aliases[i].name) != 0)
			continue;
		copy(platform->architecture, aliases[i].architecture);
		if (!platform->variant[0])
			copy(platform->variant, aliases[i].variant);
		return;
	}
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

/* One component of text to out; false if it is not one. */
static bool take_name(const char **text, char out[PLATFORM_NAME_SIZE])
{
	size_t len = 0;

	while (name_char((*text)[len]))
		len++;
	if (len == 0 || len >= PLATFORM_NAME_SIZE)
		return false;
	memcpy(out, *text, len);
	out[len] = '\0';
	*text += len;
	return true;
}

static bool take_slash(const char **text)
{
	return **text == '/' && (*text)++;
}

int platform_parse(struct platform *platform, const char *text, struct err *err)
{
	struct platform parsed = {.os = ""};
	const char *p = text;
	bool ok = take_name(&p, parsed.os) && take_slash(&p) &&
		  take_name(&p, parsed.architecture) &&
		  (!take_slash(&p) || take_name(&p, parsed.variant)) && !*p;

	if (!ok) {
		char shown[128];

		err_clean(shown, sizeof(shown), text, strlen(text));
		return err_set(err, EINVAL,
		    "\"%s\" is not a platform, which is os/architecture or "
		    "os/architecture/variant",
		    shown);
	}
	use_alias(&parsed);
	*platform = parsed;
	return 0;
}

struct platform platform_host(void)
{
	struct platform host = {.os = "linux"};
	struct utsname system;

	if (uname(&system) == 0)
		snprintf(host.architecture, sizeof(host.architecture), "%.63s",
		    system.machine);
	use_alias(&host);
	return host;
}

static char *append_name(char *out, const char *name)
{
	for (name = name[0] ? name : "unknown"; *name; name++)
		*out++ = name_char(*name) ? *name : '_';
	return out;
}

const char *platform_format(const struct platform *platform, char sep,
    char out[PLATFORM_TEXT_SIZE])
{
	char *end = append_name(out, platform->os);

	*end++ = sep;
	end = append_name(end, platform->architecture);
	if (platform->variant[0]) {
		*end++ = sep;
		end = append_name(end, platform->variant);
	}
	*end = '\0';
	return out;
}

static const struct ladder *find_ladder(const char *architecture)
{
	for (size_t i = 0; i < LENGTH(ladders); i++)
		if (strcmp(ladders[i].architecture, architecture) == 0)
			return &ladders[i];
	return NULL;
}

/* The level that a variant "v7" names; -1 for other names. */
static int variant_level(const struct ladder *ladder, const char *variant)
{
	if (!variant[0])
		return ladder->unnamed;
	if (variant[0] != 'v' || variant[1] < '0' || variant[1] > '9' ||
	    variant[2])
		return -1;
	return variant[1] - '0';
}

enum { MATCH_EXACT = 100, MATCH_LOOSE = 1 };

static int match_variant(const struct platform *want,
    const struct platform *have)
{
	const struct ladder *ladder = find_ladder(want->architecture);

	if (strcmp(want->variant, have->variant) == 0)
		return MATCH_EXACT;
	if (ladder) {
		int above = variant_level(ladder, want->variant);
		int below = variant_level(ladder, have->variant);

		if (above < 0 || below < 0 || below > above)
			return 0;
		return MATCH_EXACT - (above - below);
	}
	/* Elsewhere a variant says nothing that we know; the one without is
	 * the common denominator. */
	return !want->variant[0] || !have->variant[0] ? MATCH_LOOSE : 0;
}

int platform_match(const struct platform *want, const struct platform *have)
{
	struct platform w = *want;
	struct platform h = *have;

	use_alias(&w);
	use_alias(&h);
	if (strcmp(w.os, h.os) != 0 ||
	    strcmp(w.architecture, h.architecture) != 0)
		return 0;
	return match_variant(&w, &h);
}
