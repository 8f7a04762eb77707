/* SPDX-License-Identifier: Apache-2.0 */
/* zot, by its search extension, which says more than _catalog does. It is asked
 * where the option list says so: nothing that zot says of itself does. */
#include <errno.h>

#include "base/strf.h"
#include "creds/secret.h"
#include "http/grammar.h"
#include "service/service.h"

enum { PAGE = 200 };

#define REPOSITORIES \
	"{RepoListWithNewestImage(requestedPage:{limit:%d offset:%d" \
	" sortBy:ALPHABETIC_ASC}){Results{Name Size StarCount DownloadCount" \
	" NewestImage{Description IsSigned" \
	" Vulnerabilities{MaxSeverity Count}}}}}"
#define TAGS \
	"{ExpandedRepoInfo(repo:\"%s\"){Images{Tag Size DownloadCount " \
	"IsSigned" \
	" Vulnerabilities{MaxSeverity Count}}}}"

static const struct service_fact facts[] = {
    {"description", "NewestImage.Description"},
    {"stars", "StarCount"},
    {"pulls", "DownloadCount"},
    {"size", "Size"},
    {NULL, NULL},
};

static const struct service_fact tag_facts[] = {
    {"pulls", "DownloadCount"},
    {"size", "Size"},
    {"signed", "IsSigned"},
    {"cve.severity", "Vulnerabilities.MaxSeverity"},
    {"cve.count", "Vulnerabilities.Count"},
    {NULL, NULL},
};

/* query: taken; NULL is "out of memory". */
static char *search_url(const struct registry *registry, char *query)
{
	AUTO_FREE char *text = query;
	AUTO_FREE char *escaped = text ? http_url_escape(text) : NULL;

	return escaped ? strf("%s/v2/_zot/ext/search?query=%s", registry->root,
			     escaped)
		       : NULL;
}

static char *page_url(const struct registry *registry, int offset)
{
	return search_url(registry, strf(REPOSITORIES, PAGE, offset));
}

/* arg: where the page begins. */
static int read_page(struct service_page *page, void *arg, struct err *err)
{
	const json_t *results =
	    service_member(page->root, "data.RepoListWithNewestImage.Results");
	int *offset = arg, r;

	if (!results)
		return err_set(err, EOPNOTSUPP,
		    "%s does not list its repositories by zot's search "
		    "extension",
		    registry_host(page->service->registry));
	r = service_pass_all(page, results, NULL, "Name", err);
	*offset += PAGE;
	if (r != 0 || json_array_size(results) < PAGE)
		return r;
	page->next = page_url(page->service->registry, *offset);
	return page->next ? 0 : err_nomem(err);
}

static int ask(struct registry *registry, char *url, service_page_fn *read,
    void *arg, const struct lister_reader *reader, struct err *err)
{
	AUTO_SECRET char *basic = NULL;
	AUTO_FREE char *own = url;
	struct service service = {registry, "the search extension", NULL,
	    reader, facts};
	int r = service_basic(registry, &basic, err);

	service.authorization = basic;
	return r < 0 ? r : service_walk(&service, steal(&own), read, arg, err);
}

static int all(struct registry *registry, const struct lister_reader *reader,
    struct err *err)
{
	int offset = 0;

	return ask(registry, page_url(registry, 0), read_page, &offset, reader,
	    err);
}

/* arg: the repository. */
static int read_tags(struct service_page *page, void *arg, struct err *err)
{
	return service_keep_tags(page,
	    service_member(page->root, "data.ExpandedRepoInfo.Images"), arg,
	    "Tag", tag_facts, err);
}

static int tags(struct registry *registry, char *repository, struct err *err)
{
	return ask(registry, search_url(registry, strf(TAGS, repository)),
	    read_tags, repository, NULL, err);
}

const struct lister lister_zot = {
    .name = "zot",
    .instead = true,
    .complete = true,
    .all = all,
    .tags = tags,
};
