/* SPDX-License-Identifier: Apache-2.0 */
/* Google's Artifact Registry and Container Registry: a list of tags names what
 * is below the repository, too. */
#include "base/parse.h"
#include "oci/config.h"
#include "service/service.h"

static bool is_google(const struct registry *registry)
{
	return service_at(registry, "gcr.io") ||
	       service_at(registry, ".gcr.io") ||
	       service_at(registry, ".pkg.dev");
}

/* arg: the repository whose list it is. */
static int read_page(struct service_page *page, void *arg, struct err *err)
{
	const json_t *children = json_object_get(page->root, "child"), *child;
	size_t i;
	int r = 0;

	json_array_foreach(children, i, child)
	{
		if (r == 0)
			r = service_pass_in(page, NULL, arg,
			    json_string_value(child), err);
	}
	return r;
}

/* Of a child it is not said whether it is a repository, or what has some: those
 * that are entered are asked. */
static int below(struct registry *registry, const char *prefix,
    const struct lister_reader *reader, struct err *err)
{
	const struct service service = {registry, prefix, NULL, reader, NULL};
	CLEANUP(call_release) struct call call = {0};
	int r =
	    call_init(&call, registry, "GET", prefix, "pull", err, "tags/list");

	return r < 0 ? r
		     : service_walk_call(&service, &call, read_page,
			   call.repository, err);
}

static const struct service_fact tag_facts[] = {
    {"pushed", "pushed"},
    {"size", "imageSizeBytes"},
    {NULL, NULL},
};

/* As the others say it: a member "pushed" of what has timeUploadedMs. */
static void add_time(json_t *row)
{
	const char *ms =
	    json_string_value(json_object_get(row, "timeUploadedMs"));
	char text[TIME_TEXT_SIZE];
	uint64_t value;

	if (ms && parse_u64(&ms, INT64_MAX, &value) &&
	    time_format((int64_t)(value / 1000), text, ERR_IGNORE) == 0)
		json_object_set_new(row, "pushed", json_string(text));
}

/* arg: the repository. The list has an object for each manifest, which has the
 * tags that name it. */
static int read_tags(struct service_page *page, void *arg, struct err *err)
{
	json_t *manifests = json_object_get(page->root, "manifest"), *row;
	const char *digest;
	int r = 0;

	json_object_foreach(manifests, digest, row)
	{
		const json_t *names = json_object_get(row, "tag"), *tag;
		size_t i;

		add_time(row);
		json_array_foreach(names, i, tag)
		{
			if (r == 0)
				r = service_keep_tag(page->service->registry,
				    arg, json_string_value(tag), row, tag_facts,
				    err);
		}
	}
	return r;
}

static int tags(struct registry *registry, char *repository, struct err *err)
{
	const struct service service = {registry, repository, NULL, NULL, NULL};
	CLEANUP(call_release) struct call call = {0};
	int r = call_init(&call, registry, "GET", repository, "pull", err,
	    "tags/list");

	return r < 0 ? r
		     : service_walk_call(&service, &call, read_tags, repository,
			   err);
}

const struct lister lister_gcr = {
    .name = "gcr",
    .matches = is_google,
    .below = below,
    .tags = tags,
};
