/* SPDX-License-Identifier: Apache-2.0 */
/* Logins that are kept, and forgotten. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "authfile.h"
#include "base/file.h"
#include "base/strf.h"
#include "creds/secret.h"
#include "document.h"
#include "helper.h"
#include "key.h"
#include "replace.h"
#include "state.h"

/* What Docker Hub is called in a file of podman's. */
#define KEY_PODMAN_HUB "docker.io"

/* An auth file, and what it says of a host. */
struct login_place {
	const struct auth_file *file;
	struct buf text; /* empty where the file is missing */
	struct authfile_answer answer;
};

static void place_release(struct login_place *place)
{
	secret_release(&place->text);
	authfile_answer_release(&place->answer);
}

/* To be released also after a failure. */
static int place_read(struct login_place *place, const struct auth_file *file,
    const char *host, struct err *err)
{
	struct err failure = ERR_INIT;
	int r;

	*place =
	    (struct login_place){.file = file, .text = BUF_INIT(AUTHFILE_MAX)};
	r = file_slurp(file->path, &place->text, &failure);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r == 0)
		r = authfile_find(buf_str(&place->text), place->text.len, host,
		    NULL, &place->answer, &failure);
	if (r == 0)
		return 0;
	*err = failure;
	return err_wrap(err, "%s", file->path);
}

static const char *key_for(const struct login_place *place, const char *host)
{
	if (!key_is_hub(host, strlen(host)))
		return host;
	return place->file->kind == AUTH_FILE_CONTAINERS ? KEY_PODMAN_HUB
							 : KEY_DOCKER_HUB;
}

/* Whether a helper of the place has the host's credential. */
static int helper_has(const struct login_place *place, const char *host,
    struct err *err)
{
	CLEANUP(credential_release) struct credential found = {0};

	return helper_get(place->answer.helper, key_for(place, host), &found,
	    err);
}

/* Whether the host's credentials are found there: 1, 0. podman writes to its
 * own file where that names a helper. */
static int is_place_of(const struct login_place *place, const char *host,
    struct err *err)
{
	if (place->file->kind == AUTH_FILE_DOCKERCFG)
		return 0;
	if (place->answer.found || !place->answer.helper)
		return place->answer.found;
	return place->file->kind == AUTH_FILE_CONTAINERS ||
	       helper_has(place, host, err);
}

static const struct auth_file *find_kind(const struct auth_files *files,
    enum auth_file_kind kind, bool there)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct auth_file *file = &files->file[i];

		if (file->kind == kind &&
		    (!there || access(file->path, F_OK) == 0))
			return file;
	}
	return NULL;
}

/* Where nothing is known of the host. */
static const struct auth_file *usual_file(const struct auth_files *files)
{
	const struct auth_file *file = &files->file[0];

	if (files->count == 1)
		return file;
	file = find_kind(files, AUTH_FILE_DOCKER, true);
	if (!file)
		file = find_kind(files, AUTH_FILE_CONTAINERS, true);
	return file ? file : find_kind(files, AUTH_FILE_DOCKER, false);
}

static int choose_file(const struct auth_files *files, const char *host,
    const struct auth_file **out, struct err *err)
{
	for (size_t i = 0; i < files->count; i++) {
		CLEANUP(place_release) struct login_place place = {0};
		int r = place_read(&place, &files->file[i], host, err);

		if (r == 0)
			r = is_place_of(&place, host, err);
		if (r < 0)
			return r;
		*out = &files->file[i];
		if (r == 1)
			return 0;
	}
	*out = usual_file(files);
	return 0;
}

/* DOCKER_AUTH_CONFIG comes before all files. */
static int check_environment(const struct auth_files *files, const char *host,
    struct err *err)
{
	CLEANUP(authfile_answer_release) struct authfile_answer answer = {0};

	if (!files->environment)
		return 0;
	if (authfile_find(files->environment, strlen(files->environment), host,
		NULL, &answer, ERR_IGNORE) == 0 &&
	    answer.found)
		return err_set(err, EEXIST,
		    "the variable DOCKER_AUTH_CONFIG has credentials for %s, "
		    "which come first: unset it",
		    host);
	return 0;
}

static int write_place(const struct login_place *place, const char *host,
    const struct credential *credential, struct err *err)
{
	AUTO_SECRET char *text = NULL;
	int r = document_set(buf_str(&place->text), place->text.len, host,
	    key_for(place, host), credential, &text, err);

	if (r < 0)
		return err_wrap(err, "%s", place->file->path);
	return replace_file(place->file->path, text, err);
}

/* docker says of a helper's hosts in its file that they are logged in. */
static int store_in_helper(const struct login_place *place, const char *host,
    const struct credential *credential, char **where, struct err *err)
{
	const char *helper = place->answer.helper;
	int r = helper_store(helper, key_for(place, host), credential, err);

	if (r == 0)
		r = write_place(place, host, NULL, err);
	if (r < 0)
		return r;
	*where = strf("docker-credential-%s", helper);
	return *where ? 0 : err_nomem(err);
}

int creds_store(struct creds *creds, const char *host,
    const struct credential *credential, char **where, struct err *err)
{
	CLEANUP(place_release) struct login_place place = {0};
	const struct auth_file *file = NULL;
	int r = check_environment(&creds->files, host, err);

	*where = NULL;
	if (r == 0)
		r = choose_file(&creds->files, host, &file, err);
	if (r == 0)
		r = place_read(&place, file, host, err);
	if (r < 0)
		return r;
	answers_forget(creds->answers);
	if (place.answer.helper)
		return store_in_helper(&place, host, credential, where, err);
	r = write_place(&place, host, credential, err);
	if (r < 0)
		return r;
	*where = strdup(file->path);
	return *where ? 0 : err_nomem(err);
}

struct erasing {
	const char *host;
	creds_erased_fn *erased;
	void *arg;
	int count;
};

static int erase_in_helper(struct erasing *erasing,
    const struct login_place *place, const char *server, struct err *err)
{
	const char *helper = place->answer.helper;
	CLEANUP(credential_release) struct credential found = {0};
	AUTO_FREE char *where = strf("docker-credential-%s", helper);
	/* Some erase what they do not have without a word. */
	int r = helper_get(helper, server, &found, err);

	if (!where)
		return err_nomem(err);
	if (r == 1)
		r = helper_erase(helper, server, err);
	if (r <= 0)
		return r;
	erasing->count++;
	erasing->erased(erasing->arg, where);
	return 0;
}

static int erase_in_helpers(struct erasing *erasing,
    const struct login_place *place, struct err *err)
{
	bool hub = key_is_hub(erasing->host, strlen(erasing->host));
	int r;

	if (!place->answer.helper)
		return 0;
	r = erase_in_helper(erasing, place,
	    hub ? KEY_DOCKER_HUB : erasing->host, err);
	if (r == 0 && hub)
		r = erase_in_helper(erasing, place, KEY_PODMAN_HUB, err);
	return r;
}

/* An empty entry goes as well, but was no login. */
static int erase_in_file(struct erasing *erasing,
    const struct login_place *place, struct err *err)
{
	AUTO_SECRET char *text = NULL;
	int r = document_remove(buf_str(&place->text), place->text.len,
	    erasing->host, &text, err);

	if (r < 0)
		return err_wrap(err, "%s", place->file->path);
	if (r == 1)
		r = replace_file(place->file->path, text, err);
	if (r < 0 || !text || !place->answer.found)
		return r;
	erasing->count++;
	erasing->erased(erasing->arg, place->file->path);
	return 0;
}

static int erase_place(struct erasing *erasing, const struct auth_file *file,
    struct err *err)
{
	CLEANUP(place_release) struct login_place place = {0};
	int r = place_read(&place, file, erasing->host, err);

	if (r == 0)
		r = erase_in_helpers(erasing, &place, err);
	if (r == 0 && place.text.len)
		r = erase_in_file(erasing, &place, err);
	return r;
}

int creds_erase(struct creds *creds, const char *host, creds_erased_fn *erased,
    void *arg, struct err *err)
{
	struct erasing erasing = {host, erased, arg, 0};
	int r = 0;

	answers_forget(creds->answers);
	for (size_t i = 0; i < creds->files.count; i++) {
		struct err failure = ERR_INIT;
		int one =
		    erase_place(&erasing, &creds->files.file[i], &failure);

		if (one < 0 && r == 0) {
			*err = failure;
			r = one;
		}
	}
	if (r == 0)
		r = check_environment(&creds->files, host, err);
	return r < 0 ? r : erasing.count;
}
