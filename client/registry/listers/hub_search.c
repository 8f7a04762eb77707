/* SPDX-License-Identifier: Apache-2.0 */
/* Docker Hub: what its front end finds, and where that is refused, what its
 * index does, which says less. Neither wants a login. */
#include <errno.h>
#include <string.h>

#include "base/strf.h"
#include "http/grammar.h"
#include "hub.h"

#define RESULTS "100"

static const struct service_fact facts[] = {
    {"description", "short_description"},
    {"stars", "star_count"},
    {"pulls", "pull_count"},
    {"badge", "badge"},
    {NULL, NULL},
};

static const struct service_fact index_facts[] = {
    {"description", "description"},
    {"stars", "star_count"},
    {"badge", "badge"},
    {NULL, NULL},
};

/* "nginx" is "library/nginx". */
static int pass(struct service_page *page, const json_t *row, const char *name,
    struct err *err)
{
	return name && !strchr(name, '/')
		   ? service_pass_in(page, row, "library", name, err)
		   : service_pass(page, row, name, err);
}

/* arg: the member that is the name. */
static int read_results(struct service_page *page, void *arg, struct err *err)
{
	json_t *results = json_object_get(page->root, "results"), *row;
	size_t i;
	int r = 0;

	json_array_foreach(results, i, row)
	{
		if (json_is_true(json_object_get(row, "is_official")))
			json_object_set_new(row, "badge",
			    json_string("official"));
		if (r == 0)
			r = pass(page, row,
			    json_string_value(json_object_get(row, arg)), err);
	}
	return r;
}

int hub_search(struct registry *registry, const char *words,
    const struct lister_reader *reader, struct err *err)
{
	AUTO_FREE char *escaped = http_url_escape(words);
	struct service service = {registry, "the search of Docker Hub", NULL,
	    reader, facts};
	struct err refusal = ERR_INIT;
	char id[] = "id", name[] = "name";
	int r;

	if (!escaped)
		return err_nomem(err);
	r = service_walk(&service,
	    strf(HUB "/api/search/v4?query=%s&type=image&from=0&size=" RESULTS,
		escaped),
	    read_results, id, &refusal);
	if (r >= 0 || refusal.http == 0 || refusal.http == 429) {
		*err = refusal;
		return r;
	}
	service.facts = index_facts;
	return service_walk(&service,
	    strf("https://index.docker.io/v1/search?q=%s&n=" RESULTS, escaped),
	    read_results, name, err);
}
