/* SPDX-License-Identifier: Apache-2.0 */
/* Harbor: its _catalog is for administrators alone. */
#include <string.h>

#include "base/strf.h"
#include "creds/secret.h"
#include "http/grammar.h"
#include "service/service.h"

static bool is_harbor(const struct registry *registry)
{
	return strcmp(registry->challenges.token.service, "harbor-registry") ==
	       0;
}

static const struct service_fact facts[] = {
    {"description", "description"},
    {"pulls", "pull_count"},
    {"pushed", "update_time"},
    {NULL, NULL},
};

/* "name" is PROJECT/REPOSITORY. */
static int read_page(struct service_page *page, void *arg, struct err *err)
{
	int r = service_pass_all(page, page->root, NULL, "name", err);

	(void)arg;
	return r != 0 ? r : service_next_link(page, err);
}

/* Of all projects that the login may see, which without one are the public
 * ones; or of one of them. */
static int list(struct registry *registry, const char *project,
    const struct lister_reader *reader, struct err *err)
{
	AUTO_SECRET char *basic = NULL;
	AUTO_FREE char *escaped = http_url_escape(project ? project : "");
	struct service service = {registry, "the list of repositories", NULL,
	    reader, facts};
	int r = service_basic(registry, &basic, err);

	if (r < 0)
		return r;
	if (!escaped)
		return err_nomem(err);
	service.authorization = basic;
	return service_walk(&service,
	    strf("%s/api/v2.0/%s%s%srepositories?page=1&page_size=100",
		registry->origin, project ? "projects/" : "", escaped,
		project ? "/" : ""),
	    read_page, NULL, err);
}

static int all(struct registry *registry, const struct lister_reader *reader,
    struct err *err)
{
	return list(registry, NULL, reader, err);
}

static int below(struct registry *registry, const char *prefix,
    const struct lister_reader *reader, struct err *err)
{
	AUTO_FREE char *project = strndup(prefix, strcspn(prefix, "/"));

	return project ? list(registry, project, reader, err) : err_nomem(err);
}

static const struct service_fact tag_facts[] = {
    {"pushed", "push_time"},
    {"size", "size"},
    {"signed", "signed"},
    {"cve.severity", "scan.severity"},
    {"cve.count", "scan.summary.total"},
    {NULL, NULL},
};

/* As members of the artifact: "scan" is the report of whatever scanner, and
 * "signed" that a signature refers to it. */
static void add_members(json_t *artifact)
{
	json_t *reports = json_object_get(artifact, "scan_overview"), *report;
	const json_t *accessories = json_object_get(artifact, "accessories");
	const json_t *one;
	const char *type;
	size_t i;

	json_object_foreach(reports, type, report)
	    json_object_set(artifact, "scan", report);
	json_array_foreach(accessories, i, one)
	{
		type = json_string_value(json_object_get(one, "type"));
		if (type && strncmp(type, "signature.", 10) == 0)
			json_object_set_new(artifact, "signed", json_true());
	}
}

/* arg: the repository. */
static int read_artifacts(struct service_page *page, void *arg, struct err *err)
{
	json_t *artifact;
	size_t i;
	int r = 0;

	json_array_foreach(page->root, i, artifact)
	{
		const json_t *names = json_object_get(artifact, "tags"), *tag;
		const char *digest =
		    json_string_value(json_object_get(artifact, "digest"));
		size_t n;

		if (digest)
			page_add(&page->content, digest);
		add_members(artifact);
		json_array_foreach(names, n, tag)
		{
			if (r == 0)
				r = service_keep_tag(page->service->registry,
				    arg,
				    json_string_value(
					json_object_get(tag, "name")),
				    artifact, tag_facts, err);
		}
	}
	return r != 0 ? r : service_next_link(page, err);
}

/* The name that follows the project's is escaped twice: '/' is "%252F". */
static char *artifacts_url(const struct registry *registry,
    const char *repository)
{
	size_t len = strcspn(repository, "/");
	AUTO_FREE char *once =
	    http_url_escape(repository + len + (repository[len] == '/'));
	AUTO_FREE char *twice = once ? http_url_escape(once) : NULL;

	return twice
		   ? strf("%s/api/v2.0/projects/%.*s/repositories/%s/artifacts"
			  "?page=1&page_size=100&with_tag=true"
			  "&with_accessory=true&with_scan_overview=true",
			 registry->origin, (int)len, repository, twice)
		   : NULL;
}

static int tags(struct registry *registry, char *repository, struct err *err)
{
	AUTO_SECRET char *basic = NULL;
	struct service service = {registry, repository, NULL, NULL, NULL};
	int r = service_basic(registry, &basic, err);

	service.authorization = basic;
	return r < 0
		   ? r
		   : service_walk(&service, artifacts_url(registry, repository),
			 read_artifacts, repository, err);
}

const struct lister lister_harbor = {
    .name = "harbor",
    .complete = true,
    .matches = is_harbor,
    .all = all,
    .below = below,
    .tags = tags,
};
