/* SPDX-License-Identifier: Apache-2.0 */
/* Where credentials are looked for. Files are read again for each lookup, which
 * are rare (one a token); what helpers say is kept. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "answers.h"
#include "authfile.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/log.h"
#include "creds/creds.h"
#include "creds/secret.h"
#include "files.h"
#include "key.h"
#include "state.h"

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

/* As docker does: what somebody has put there may not be meant for us. */
static void check_environment(struct auth_files *files)
{
	CLEANUP(authfile_answer_release) struct authfile_answer answer = {0};
	struct err err = ERR_INIT;

	if (!files->environment)
		return;
	if (authfile_find(files->environment, strlen(files->environment), "",
		NULL, &answer, &err) == 0)
		return;
	log_warn("DOCKER_AUTH_CONFIG is ignored: it is %s", err.msg);
	secret_free(steal(&files->environment));
}

/* without: the authfile need not be there. */
static struct creds *make(const char *authfile, bool without, struct err *err)
{
	CLEANUP(creds_free_p) struct creds *creds = calloc(1, sizeof(*creds));
	int r;

	if (!creds) {
		err_nomem(err);
		return NULL;
	}
	pthread_mutex_init(&creds->lock, NULL);
	if (authfile && !(without && access(authfile, F_OK) < 0) &&
	    check_authfile(authfile, err) < 0)
		return NULL;
	creds->answers = answers_new(err);
	if (!creds->answers)
		return NULL;
	r = auth_files_init(&creds->files, authfile, err);
	if (r < 0)
		return NULL;
	check_environment(&creds->files);
	return steal(&creds);
}

struct creds *creds_new(const char *authfile, struct err *err)
{
	return make(authfile, false, err);
}

struct creds *creds_new_to_store(const char *authfile, struct err *err)
{
	return make(authfile, true, err);
}

void creds_free(struct creds *creds)
{
	if (!creds)
		return;
	auth_files_release(&creds->files);
	answers_free(creds->answers);
	pthread_mutex_destroy(&creds->lock);
	free(creds);
}

uint64_t creds_version(struct creds *creds)
{
	SCOPED_LOCK(&creds->lock);

	/* They may name other helpers now. */
	if (auth_files_changed(&creds->files)) {
		answers_forget(creds->answers);
		creds->version++;
	}
	return creds->version + answers_version(creds->answers);
}

/* Docker Hub has one name where docker stores it and one where podman does. */
static int ask_helper(struct creds *creds, const char *name, const char *host,
    struct credential *out, struct err *err)
{
	bool hub = key_is_hub(host, strlen(host));
	int r = answers_get(creds->answers, name, hub ? KEY_DOCKER_HUB : host,
	    host, out, err);

	if (r == 0 && hub)
		r = answers_get(creds->answers, name, "docker.io", host, out,
		    err);
	return r;
}

static int find(struct creds *creds, const char *text, size_t len,
    const char *host, const char *repository, struct credential *out,
    struct err *err)
{
	CLEANUP(authfile_answer_release) struct authfile_answer answer = {0};
	int r = authfile_find(text, len, host, repository, &answer, err);

	if (r == 0 && answer.helper)
		r = ask_helper(creds, answer.helper, host, out, err);
	if (r != 0 || !answer.found)
		return r;
	*out = answer.credential;
	answer.credential = (struct credential){0};
	return 1;
}

static int find_in_file(struct creds *creds, const char *path, const char *host,
    const char *repository, struct credential *out, struct err *err)
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
	r = find(creds, buf_str(&text), text.len, host, repository, out, err);
	return r < 0 ? err_wrap(err, "%s", path) : r;
}

int creds_lookup(struct creds *creds, const char *host, const char *repository,
    struct credential *out, struct err *err)
{
	const struct auth_files *files = &creds->files;
	int r = 0;

	*out = (struct credential){0};
	if (files->environment) {
		r = find(creds, files->environment, strlen(files->environment),
		    host, repository, out, err);
		if (r < 0)
			err_wrap(err, "DOCKER_AUTH_CONFIG");
	}
	for (size_t i = 0; r == 0 && i < files->count; i++)
		r = find_in_file(creds, files->file[i].path, host, repository,
		    out, err);
	if (r < 0)
		credential_release(out);
	return r;
}

void creds_ask_again(struct creds *creds, const char *host,
    enum creds_doubt doubt)
{
	answers_renew(creds->answers, host, doubt);
}
