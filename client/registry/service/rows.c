/* SPDX-License-Identifier: Apache-2.0 */
/* Rows: what a list has for a repository or a tag. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/strf.h"
#include "service.h"

enum {
	ROW_MAX = 16 << 10, /* that is kept of one */
	VALUE_MAX = 4096,   /* of which a longer one is no attribute */
};

const json_t *service_member(const json_t *row, const char *path)
{
	const char *dot;

	while (row && (dot = strchr(path, '.'))) {
		row = json_object_getn(row, path, (size_t)(dot - path));
		path = dot + 1;
	}
	return json_object_get(row, path);
}

/* What a member says, in the room for a number or as its own text; NULL: it
 * says nothing. */
static const char *value_text(const json_t *value, char room[24])
{
	if (json_is_string(value) && *json_string_value(value) &&
	    json_string_length(value) <= VALUE_MAX)
		return json_string_value(value);
	if (json_is_integer(value)) {
		snprintf(room, 24, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(value));
		return room;
	}
	return json_is_true(value) ? "true" : NULL;
}

static int keep(struct registry *registry, const char *of, const json_t *row,
    const struct service_fact *facts, struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(ROW_MAX);
	char room[24];

	for (; facts->name; facts++) {
		const char *value =
		    value_text(service_member(row, facts->member), room);
		int r = 0;

		if (value)
			r = buf_add(&text, facts->name, strlen(facts->name) + 1,
			    err);
		if (value && r == 0)
			r = buf_add(&text, value, strlen(value) + 1, err);
		if (r < 0)
			return r;
	}
	facts_keep(&registry->facts, of, buf_str(&text), text.len);
	return 0;
}

int service_keep_tag(struct registry *registry, const char *repository,
    const char *tag, const json_t *row, const struct service_fact *facts,
    struct err *err)
{
	AUTO_FREE char *of = tag ? strf("%s:%s", repository, tag) : NULL;

	if (!tag)
		return 0;
	return of ? keep(registry, of, row, facts, err) : err_nomem(err);
}

int service_keep_tags(struct service_page *page, const json_t *list,
    const char *repository, const char *tag, const struct service_fact *facts,
    struct err *err)
{
	const json_t *row;
	size_t i;
	int r = 0;

	json_array_foreach(list, i, row)
	{
		const char *name = json_string_value(service_member(row, tag));

		if (name)
			page_add(&page->content, name);
		if (r == 0)
			r = service_keep_tag(page->service->registry,
			    repository, name, row, facts, err);
	}
	return r;
}

int service_pass(struct service_page *page, const json_t *row,
    const char *repository, struct err *err)
{
	const struct service *service = page->service;
	int r = 0;

	if (!repository)
		return 0;
	page_add(&page->content, repository);
	if (service->facts)
		r = keep(service->registry, repository, row, service->facts,
		    err);
	return r < 0 ? r
		     : service->reader->each(service->reader->arg, repository,
			   err);
}

int service_pass_in(struct service_page *page, const json_t *row,
    const char *namespace, const char *name, struct err *err)
{
	AUTO_FREE char *repository = NULL;

	if (!namespace || !name)
		return 0;
	repository = strf("%s/%s", namespace, name);
	return repository ? service_pass(page, row, repository, err)
			  : err_nomem(err);
}

int service_pass_all(struct service_page *page, const json_t *list,
    const char *namespace, const char *name, struct err *err)
{
	const json_t *row;
	size_t i;
	int r = 0;

	json_array_foreach(list, i, row)
	{
		const char *text = json_string_value(service_member(row, name));

		if (r == 0 && !namespace)
			r = service_pass(page, row, text, err);
		else if (r == 0)
			r = service_pass_in(page, row,
			    json_string_value(service_member(row, namespace)),
			    text, err);
	}
	return r;
}
