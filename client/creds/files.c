/* SPDX-License-Identifier: Apache-2.0 */
/* Which files have credentials. */
#include "files.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "base/strf.h"
#include "creds/secret.h"

#include <sys/stat.h>

static const char *env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* Takes path; NULL means that there was no memory for it. */
static int add_path_take(struct auth_files *files, enum auth_file_kind kind,
    char *path, struct err *err)
{
	if (!path)
		return err_nomem(err);
	files->file[files->count++] =
	    (struct auth_file){.path = path, .kind = kind};
	return 0;
}

static enum auth_file_kind kind_of(const char *path)
{
	const char *name = strrchr(path, '/');

	return strcmp(name ? name + 1 : path, "config.json") == 0
		   ? AUTH_FILE_DOCKER
		   : AUTH_FILE_CONTAINERS;
}

/* The one file; absolute, because a daemon leaves its directory. */
static int use_one(struct auth_files *files, const char *path, struct err *err)
{
	char dir[PATH_MAX];

	if (*path == '/')
		return add_path_take(files, kind_of(path), strdup(path), err);
	if (!getcwd(dir, sizeof(dir)))
		return err_sys(err, "cannot determine the current directory");
	return add_path_take(files, kind_of(path), strf("%s/%s", dir, path),
	    err);
}

static int use_environment(struct auth_files *files, struct err *err)
{
	const char *text = env("DOCKER_AUTH_CONFIG");

	if (!text)
		return 0;
	files->environment = strdup(text);
	return files->environment ? 0 : err_nomem(err);
}

static int use_usual(struct auth_files *files, struct err *err)
{
	AUTO_FREE char *home = file_home();
	const char *runtime = env("XDG_RUNTIME_DIR");
	const char *config = env("XDG_CONFIG_HOME");
	const char *docker = env("DOCKER_CONFIG");
	int r;

	if (!home)
		return err_nomem(err);
	r = use_environment(files, err);
	if (r == 0)
		r = add_path_take(files, AUTH_FILE_CONTAINERS,
		    runtime ? strf("%s/containers/auth.json", runtime)
			    : strf("/run/containers/%u/auth.json", geteuid()),
		    err);
	if (r == 0)
		r = add_path_take(files, AUTH_FILE_CONTAINERS,
		    config ? strf("%s/containers/auth.json", config)
			   : strf("%s/.config/containers/auth.json", home),
		    err);
	if (r == 0)
		r = add_path_take(files, AUTH_FILE_DOCKER,
		    docker ? strf("%s/config.json", docker)
			   : strf("%s/.docker/config.json", home),
		    err);
	if (r == 0)
		r = add_path_take(files, AUTH_FILE_DOCKERCFG,
		    strf("%s/.dockercfg", home), err);
	return r;
}

static struct file_identity identify(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return (struct file_identity){0};
	return (struct file_identity){.there = true,
	    .device = st.st_dev,
	    .inode = st.st_ino,
	    .size = st.st_size,
	    .written = st.st_mtim};
}

static bool is_same(const struct file_identity *a,
    const struct file_identity *b)
{
	return a->there == b->there && a->device == b->device &&
	       a->inode == b->inode && a->size == b->size &&
	       a->written.tv_sec == b->written.tv_sec &&
	       a->written.tv_nsec == b->written.tv_nsec;
}

int auth_files_init(struct auth_files *files, const char *authfile,
    struct err *err)
{
	if (!authfile)
		authfile = env("REGISTRY_AUTH_FILE");
	return authfile ? use_one(files, authfile, err) : use_usual(files, err);
}

void auth_files_release(struct auth_files *files)
{
	secret_free(files->environment);
	for (size_t i = 0; i < files->count; i++)
		free(files->file[i].path);
	*files = (struct auth_files){0};
}

bool auth_files_changed(struct auth_files *files)
{
	bool changed = false;

	for (size_t i = 0; i < files->count; i++) {
		struct auth_file *file = &files->file[i];
		struct file_identity now = identify(file->path);

		changed |= !is_same(&now, &file->seen);
		file->seen = now;
	}
	return changed;
}
