/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where credentials are looked for. No secret is kept between two lookups,
 * which are rare (one a token): of what a helper says, a hash tells whether it
 * is still that.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "authfile.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/map.h"
#include "base/strf.h"
#include "creds/creds.h"
#include "creds/secret.h"
#include "helper.h"
#include "key.h"

#include <sys/stat.h>

enum {
	/* A file with a hundred logins has 20 KiB. */
	AUTHFILE_MAX = 1 << 20,
	MAX_PATHS = 4,
	/* A helper is asked again after a second, and after so many times as
	 * long as it takes: some ask over a network. */
	HELPER_AGE = 1000, /* ms */
	HELPER_SHARE = 20,
};

/* What tells a file from the one that was there before. */
struct identity {
	bool there;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec written;
};

/* What the helpers said in one lookup. */
struct answers {
	bool any; /* any of them was asked */
	uint64_t hash;
	int64_t asked, took; /* ms */
};

struct creds {
	char *inline_text; /* of DOCKER_AUTH_CONFIG, NULL if unset */
	char *paths[MAX_PATHS];
	size_t path_count;
	pthread_mutex_t lock;
	/* Under lock. */
	struct identity seen[MAX_PATHS]; /* of the paths, the last time */
	uint64_t version;
	struct answers answers;  /* the last ones */
	char *host, *repository; /* and for what they were asked */
};

static const char *env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* Takes path; NULL means that there was no memory for it. */
static int add_path_take(struct creds *creds, char *path, struct err *err)
{
	if (!path)
		return err_nomem(err);
	creds->paths[creds->path_count++] = path;
	return 0;
}

/* The one file; absolute, because a daemon leaves its directory. */
static int use_one(struct creds *creds, const char *path, struct err *err)
{
	char dir[PATH_MAX];

	if (*path == '/')
		return add_path_take(creds, strdup(path), err);
	if (!getcwd(dir, sizeof(dir)))
		return err_sys(err, "cannot determine the current directory");
	return add_path_take(creds, strf("%s/%s", dir, path), err);
}

static int use_usual(struct creds *creds, struct err *err)
{
	AUTO_FREE char *home = file_home();
	const char *runtime = env("XDG_RUNTIME_DIR");
	const char *config = env("XDG_CONFIG_HOME");
	const char *docker = env("DOCKER_CONFIG");
	int r = 0;

	if (!home)
		return err_nomem(err);
	if (env("DOCKER_AUTH_CONFIG")) {
		creds->inline_text = strdup(env("DOCKER_AUTH_CONFIG"));
		if (!creds->inline_text)
			return err_nomem(err);
	}
	r = add_path_take(creds,
	    runtime ? strf("%s/containers/auth.json", runtime)
		    : strf("/run/containers/%u/auth.json", geteuid()),
	    err);
	if (r == 0)
		r = add_path_take(creds,
		    config ? strf("%s/containers/auth.json", config)
			   : strf("%s/.config/containers/auth.json", home),
		    err);
	if (r == 0)
		r = add_path_take(creds,
		    docker ? strf("%s/config.json", docker)
			   : strf("%s/.docker/config.json", home),
		    err);
	if (r == 0)
		r = add_path_take(creds, strf("%s/.dockercfg", home), err);
	return r;
}

/* What somebody names is there, and a file of credentials: the usual ones need
 * not be. */
static int check_authfile(const char *path, struct err *err)
{
	CLEANUP(authfile_answer_release) struct authfile_answer answer = {0};
	AUTO_SECRET_BUF struct buf text = BUF_INIT(AUTHFILE_MAX);
	int r = file_slurp(path, &text, err);

	if (r == 0)
		r = authfile_find(buf_str(&text), text.len, "", NULL, &answer,
		    err);
	return r < 0 ? err_wrap(err, "the auth file %s", path) : 0;
}

struct creds *creds_new(const char *authfile, struct err *err)
{
	CLEANUP(creds_free_p) struct creds *creds = calloc(1, sizeof(*creds));
	int r;

	if (!creds) {
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&creds->lock, NULL);
	if (authfile && check_authfile(authfile, err) < 0)
		return NULL;
	if (!authfile)
		authfile = env("REGISTRY_AUTH_FILE");
	r = authfile ? use_one(creds, authfile, err) : use_usual(creds, err);
	return r < 0 ? NULL : steal(&creds);
}

void creds_free(struct creds *creds)
{
	if (!creds)
		return;
	secret_free(creds->inline_text);
	for (size_t i = 0; i < creds->path_count; i++)
		free(creds->paths[i]);
	free(creds->host);
	free(creds->repository);
	pthread_mutex_destroy(&creds->lock);
	free(creds);
}

static struct identity identify(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct identity){0};
	return (struct identity){.there = true,
	    .device = st.st_dev,
	    .inode = st.st_ino,
	    .size = st.st_size,
	    .written = st.st_mtim};
}

static bool is_same(const struct identity *a, const struct identity *b)
{
	return a->there == b->there && a->device == b->device &&
	       a->inode == b->inode && a->size == b->size &&
	       a->written.tv_sec == b->written.tv_sec &&
	       a->written.tv_nsec == b->written.tv_nsec;
}

uint64_t creds_version(struct creds *creds)
{
	bool changed = false;

	SCOPED_LOCK(&creds->lock);
	for (size_t i = 0; i < creds->path_count; i++) {
		struct identity now = identify(creds->paths[i]);

		changed |= !is_same(&now, &creds->seen[i]);
		creds->seen[i] = now;
	}
	creds->version += changed;
	return creds->version;
}

static void answers_add(struct answers *answers, const char *text)
{
	answers->any = true;
	answers->hash = answers->hash * 31 + (text ? map_hash(text) : 1);
}

/* Docker Hub has one name where docker stores it and one where podman does. */
static int ask_helper(const char *name, const char *host,
    struct answers *answers, struct credential *out, struct err *err)
{
	bool hub = key_is_hub(host, strlen(host));
	int r = helper_get(name, hub ? KEY_DOCKER_HUB : host, out, err);

	if (r == 0 && hub)
		r = helper_get(name, "docker.io", out, err);
	if (r < 0)
		return r;
	answers_add(answers, out->username);
	answers_add(answers, out->password);
	answers_add(answers, out->identity_token);
	return r;
}

static int find(const char *text, size_t len, const char *host,
    const char *repository, struct answers *answers, struct credential *out,
    struct err *err)
{
	CLEANUP(authfile_answer_release) struct authfile_answer answer = {0};
	int r = authfile_find(text, len, host, repository, &answer, err);

	if (r == 0 && answer.helper)
		r = ask_helper(answer.helper, host, answers, out, err);
	if (r != 0 || !answer.found)
		return r;
	*out = answer.credential;
	answer.credential = (struct credential){0};
	return 1;
}

static int find_in_file(const char *path, const char *host,
    const char *repository, struct answers *answers, struct credential *out,
    struct err *err)
{
	AUTO_SECRET_BUF struct buf text = BUF_INIT(AUTHFILE_MAX);
	struct err missing = ERR_INIT;
	int r = file_slurp(path, &text, &missing);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0) {
		*err = missing;
		return r;
	}
	r = find(buf_str(&text), text.len, host, repository, answers, out, err);
	return r < 0 ? err_wrap(err, "%s", path) : r;
}

/* Keeps what the helpers have said, and sees whether it is something else. */
static void answers_note(struct creds *creds, const struct answers *answers,
    const char *host, const char *repository)
{
	SCOPED_LOCK(&creds->lock);
	creds->version +=
	    creds->answers.any && creds->answers.hash != answers->hash;
	creds->answers = *answers;
	free(creds->host);
	free(creds->repository);
	creds->host = strdup(host);
	creds->repository = repository ? strdup(repository) : NULL;
}

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

int creds_lookup(struct creds *creds, const char *host, const char *repository,
    struct credential *out, struct err *err)
{
	struct answers answers = {.asked = clock_ms()};
	int r = 0;

	*out = (struct credential){0};
	if (creds->inline_text) {
		r = find(creds->inline_text, strlen(creds->inline_text), host,
		    repository, &answers, out, err);
		if (r < 0)
			err_wrap(err, "DOCKER_AUTH_CONFIG");
	}
	for (size_t i = 0; r == 0 && i < creds->path_count; i++)
		r = find_in_file(creds->paths[i], host, repository, &answers,
		    out, err);
	answers.took = clock_ms() - answers.asked;
	if (r >= 0 && answers.any)
		answers_note(creds, &answers, host, repository);
	if (r < 0)
		credential_release(out);
	return r;
}

/* Whether the helpers are to be asked, and for what: new strings. */
static bool is_due(struct creds *creds, bool now, char **host,
    char **repository)
{
	struct answers *last = &creds->answers;
	int64_t time = clock_ms(), age;

	SCOPED_LOCK(&creds->lock);
	age = last->took * HELPER_SHARE;
	if (age < HELPER_AGE)
		age = HELPER_AGE;
	if (!last->any || !creds->host || (!now && time - last->asked < age))
		return false;
	/* One asks, and the others go on meanwhile. */
	last->asked = time;
	*host = strdup(creds->host);
	*repository = creds->repository ? strdup(creds->repository) : NULL;
	return *host;
}

void creds_ask_again(struct creds *creds, bool now)
{
	AUTO_FREE char *host = NULL, *repository = NULL;
	CLEANUP(credential_release) struct credential found = {0};

	if (is_due(creds, now, &host, &repository))
		creds_lookup(creds, host, repository, &found, ERR_IGNORE);
}
