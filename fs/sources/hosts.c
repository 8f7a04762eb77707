/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts: known, asked, remembered. */
#include "hosts.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/host_name.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/strf.h"
#include "base/turn.h"
#include "config/registries.h"
#include "creds/creds.h"
#include "oci/reference.h"
#include "store/store.h"

/* Those that were entered: a line each, the newest first. */
#define NOTE_KIND "hosts"
#define NOTE_KEY "entered"

enum {
	FAILED_FOR = 10, /* seconds */
	FAILURES_MAX = 1000,
	ENTERED_MAX = 200,
	NOTE_MAX = ENTERED_MAX * (REFERENCE_HOST_MAX + 1),
	CERT_DIRS = 3,
};

struct host_failure {
	int64_t at;
	struct err err;
};

struct hosts {
	struct mount_sources *sources;
	struct store *store;
	struct turns *turns; /* at asking, by the name */
	char *cert_dirs[CERT_DIRS];
	pthread_mutex_t lock;
	struct map failures; /* host -> struct host_failure; under lock */
};

static int find_cert_dirs(struct hosts *hosts, struct err *err)
{
	AUTO_FREE char *home = file_home();

	hosts->cert_dirs[0] =
	    home ? strf("%s/.config/containers/certs.d", home) : NULL;
	hosts->cert_dirs[1] = strdup("/etc/containers/certs.d");
	hosts->cert_dirs[2] = strdup("/etc/docker/certs.d");
	for (size_t i = 0; i < CERT_DIRS; i++)
		if (!hosts->cert_dirs[i])
			return err_nomem(err);
	return 0;
}

struct hosts *hosts_new(struct mount_sources *sources, struct err *err)
{
	CLEANUP(hosts_free_p) struct hosts *hosts = calloc(1, sizeof(*hosts));

	if (!hosts) {
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&hosts->lock, NULL);
	hosts->sources = sources;
	hosts->store = mount_sources_top(sources)->mount->store;
	hosts->turns = turns_new(err);
	if (!hosts->turns || find_cert_dirs(hosts, err) < 0)
		return NULL;
	return steal(&hosts);
}

/* Under lock. */
static void drop_failures(struct hosts *hosts)
{
	map_foreach (&hosts->failures, slot)
		free(slot->value);
	map_release(&hosts->failures);
	hosts->failures = (struct map)MAP_INIT;
}

void hosts_free(struct hosts *hosts)
{
	if (!hosts)
		return;
	if (hosts->turns)
		turns_free(hosts->turns);
	for (size_t i = 0; i < CERT_DIRS; i++)
		free(hosts->cert_dirs[i]);
	drop_failures(hosts);
	pthread_mutex_destroy(&hosts->lock);
	free(hosts);
}

/* What clients take for a host; ".git" and the like never are. */
static bool is_host(const char *name)
{
	size_t len = strlen(name);

	return *name != '.' && len <= REFERENCE_HOST_MAX &&
	       reference_host(name, len) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789.-_:[]") == len;
}

/* Of what is no host, nothing; and each by the name that it is entered by. */
static int each_host(host_fn *each, void *arg, const char *name,
    struct err *err)
{
	char host[HOST_NAME_SIZE];

	host_name_canonical(name, host);
	return is_host(name) ? each(arg, host, err) : 0;
}

static int each_entered(struct hosts *hosts, host_fn *each, void *arg,
    struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(NOTE_MAX);
	char *cursor, *host;
	int r = store_note(hosts->store, NOTE_KIND, NOTE_KEY, &text, err);

	if (r <= 0)
		return r;
	r = 0;
	cursor = text.data;
	while (r == 0 && (host = strsep(&cursor, "\n")))
		r = each_host(each, arg, host, err);
	return r;
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* What cannot be read has none. */
static int each_with_certs(const char *path, host_fn *each, void *arg,
    struct err *err)
{
	CLEANUP(close_dir) DIR *dir = opendir(path);
	struct dirent *entry;
	int r = 0;

	while (r == 0 && dir && (entry = readdir(dir)))
		r = each_host(each, arg, entry->d_name, err);
	return r;
}

struct with_login {
	host_fn *each;
	void *arg;
};

/* A key of an auth file may be anything. */
static int add_with_login(void *arg, const char *host, struct err *err)
{
	const struct with_login *with_login = arg;

	return each_host(with_login->each, with_login->arg, host, err);
}

/* What a broken file names is said where a host is entered. */
static int each_configured(host_fn *each, void *arg)
{
	int r = registries_hosts(each, arg, ERR_IGNORE);

	return r > 0 ? r : 0;
}

int hosts_each(struct hosts *hosts, host_fn *each, void *arg, struct err *err)
{
	struct with_login with_login = {each, arg};
	int r = each_entered(hosts, each, arg, err);

	if (r == 0)
		r = creds_hosts(mount_sources_creds(hosts->sources),
		    add_with_login, &with_login, err);
	for (size_t i = 0; i < CERT_DIRS && r == 0; i++)
		r = each_with_certs(hosts->cert_dirs[i], each, arg, err);
	return r == 0 ? each_configured(each, arg) : r;
}

static int is_name(void *arg, const char *host, struct err *err)
{
	(void)err;
	return strcmp(arg, host) == 0;
}

static bool is_known(struct hosts *hosts, const char *name)
{

	return hosts_each(hosts, is_name, (char *)(uintptr_t)name,
		   ERR_IGNORE) == 1;
}

struct remembering {
	struct buf *text;
	const char *newest;
	unsigned count;
};

static int keep(void *arg, const char *host, struct err *err)
{
	struct remembering *remembering = arg;

	if (remembering->count == ENTERED_MAX ||
	    strcmp(host, remembering->newest) == 0)
		return 0;
	remembering->count++;
	return buf_addf(remembering->text, err, "%s\n", host);
}

/* What cannot be kept is asked again the next time. */
static void remember(struct hosts *hosts, const char *name)
{
	AUTO_BUF struct buf text = BUF_INIT(NOTE_MAX);
	struct remembering remembering = {&text, name, 1};

	SCOPED_LOCK(&hosts->lock);
	if (buf_addf(&text, ERR_IGNORE, "%s\n", name) == 0 &&
	    each_entered(hosts, keep, &remembering, ERR_IGNORE) == 0)
		store_note_put(hosts->store, NOTE_KIND, NOTE_KEY,
		    buf_str(&text), ERR_IGNORE);
}

static void note_failure(struct hosts *hosts, const char *name,
    const struct err *err)
{
	struct host_failure *failure = malloc(sizeof(*failure));

	if (!failure)
		return;
	*failure = (struct host_failure){clock_seconds(), *err};
	SCOPED_LOCK(&hosts->lock);
	if (hosts->failures.count >= FAILURES_MAX)
		drop_failures(hosts);
	free(map_del(&hosts->failures, name));
	if (map_put(&hosts->failures, name, failure) < 0)
		free(failure);
}

/* -errno of what failed a while ago at most, or 0. */
static int failed_before(struct hosts *hosts, const char *name, struct err *err)
{
	const struct host_failure *failure;

	SCOPED_LOCK(&hosts->lock);
	failure = map_get(&hosts->failures, name);
	if (!failure || clock_seconds() - failure->at >= FAILED_FOR)
		return 0;
	*err = failure->err;
	return -err->code;
}

/* Whether a failure says that there is no registry of that name: who looks for
 * a file that is called like a host is to be told so. */
static bool is_absence(int r)
{
	return r == -EHOSTUNREACH || r == -ETIMEDOUT || r == -EPROTONOSUPPORT ||
	       r == -EINVAL || r == -ENETUNREACH;
}

/* Has the turn. */
static int enter(struct hosts *hosts, const char *name,
    struct mount_source **out, struct err *err)
{
	bool known = is_known(hosts, name);
	int r = known ? 0 : failed_before(hosts, name, err);

	if (r < 0)
		return r;
	r = mount_sources_add_host(hosts->sources, name, known, out, err);
	if (r == 1 && !known)
		remember(hosts, name);
	if (r >= 0 || r == -EINTR || r == -ENOMEM)
		return r;
	note_failure(hosts, name, err);
	if (is_absence(r))
		log_info("%s: no registry answers there: %s", name, err->msg);
	return r;
}

static int ask(struct hosts *hosts, const char *name, struct mount_source **out,
    struct err *err)
{
	int r = turns_take(hosts->turns, name, err);

	if (r < 0)
		return r;
	r = enter(hosts, name, out, err);
	turns_end(hosts->turns, name);
	return is_absence(r) ? 0 : r;
}

int hosts_find(struct hosts *hosts, const char *name, struct mount_source **out,
    struct err *err)
{
	char host[HOST_NAME_SIZE];

	if (!is_host(name))
		return 0;
	host_name_canonical(name, host);
	*out =
	    mount_source_find(mount_sources_top(hosts->sources)->mount, host);
	return *out ? 1 : ask(hosts, host, out, err);
}
