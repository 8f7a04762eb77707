/* SPDX-License-Identifier: Apache-2.0 */
/* What a path component can mean. */
#include "name.h"

#include <string.h>

/* Those of the compressions that a push reads. */
static const char *const endings[] = {
    ".tar",
    ".tar.gz",
    ".tgz",
    ".tar.zst",
    ".tar.xz",
    ".txz",
    ".tar.bz2",
    ".tbz2",
};

/* The length of text without an archive's ending; 0 if it has none. */
static size_t archive_stem(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		size_t ending = strlen(endings[i]);

		if (len > ending && !strcmp(text + len - ending, endings[i]))
			return len - ending;
	}
	return 0;
}

const char *name_ending(const char *text)
{
	size_t stem = archive_stem(text);

	return stem ? text + stem : text + strlen(text);
}

bool name_is_archive(const char *text)
{
	return archive_stem(text) > 0;
}

static bool set_tag(char out[TAG_MAX + 1], const char *text, size_t len)
{
	if (!tag_valid(text, len))
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

/* The tag behind a colon, and what it is without an ending. */
static bool set_tags(struct name *name, const char *text)
{
	set_tag(name->archive_tag, text, archive_stem(text));
	return set_tag(name->tag, text, strlen(text));
}

static bool set_digest(struct name *name, const char *text)
{
	return digest_parse(&name->digest, text, ERR_IGNORE) == 0;
}

void name_parse(struct name *name, const char *text)
{
	size_t head = strcspn(text, ":@");
	bool good;

	*name = (struct name){.form = NAME_SCRATCH};
	if (!text[head]) {
		name->component = repository_component_valid(text, head);
		name->tag_ok = set_tags(name, text);
		if (name->component || name->tag_ok || *name->archive_tag)
			name->form = NAME_PLAIN;
		return;
	}
	if (head > REPOSITORY_MAX ||
	    (head > 0 && !repository_component_valid(text, head)))
		return;
	memcpy(name->repository, text, head);
	good = text[head] == '@'
		   ? set_digest(name, text + head + 1)
		   : set_tags(name, text + head + 1) || *name->archive_tag;
	if (good)
		name->form = NAME_REFERENCE;
}

const char *name_push_tag(const struct name *name)
{
	if (*name->archive_tag)
		return name->archive_tag;
	return *name->tag ? name->tag : NULL;
}
