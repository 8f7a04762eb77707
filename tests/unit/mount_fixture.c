/* SPDX-License-Identifier: Apache-2.0 */
/* A mount put together as fs/session.c does, but for the kernel. */
#include "mount_fixture.h"

#include <fcntl.h>

#include "habits/habits.h"
#include "kernel/op.h"
#include "mirror/mirror.h"
#include "scratch/scratch.h"
#include "tag/made.h"
#include "tar/header.h"
#include "upload/written_file.h"

static void open_source(struct mount_fixture *f, unsigned number)
{
	static const char *const names[] = {"one", "two"};
	struct mount_fixture_source *self = &f->sources[number];
	const struct images_options images = {.platform = {.os = "linux",
						  .architecture = "amd64"},
	    .tag_ttl = 60,
	    .epoch = 1700000000};
	struct registry_options registry = {0};
	struct registry *opened;
	char authfile[128];
	int fd;

	snprintf(authfile, sizeof(authfile), "%s/auth.json", f->dir.path);
	fd = open(authfile, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(pwrite(fd, "{}", 2, 0), 2);
	close(fd);
	self->server = registry_double_new();
	self->creds = creds_new(authfile, &f->err);
	assert_non_null(self->creds);
	registry.address = server_url(self->server->server, "");
	must(registry_open(f->http, self->creds, &registry, &opened, &f->err));
	must(registry_source(opened, &self->from, &f->err));
	self->source = (struct mount_source){.mount = &f->mount,
	    .name = f->count > 1 ? names[number] : "",
	    .base = "",
	    .tag_ttl = 60,
	    .made = made_new(&f->err),
	    .mirrors = mirrors_new(&f->err)};
	assert_non_null(self->source.made);
	assert_non_null(self->source.mirrors);
	must(images_new(self->from, f->shared, &images, &self->source.images,
	    &f->err));
	mount_source_add(&self->source);
}

static void open_mount(struct mount_fixture *f)
{
	struct mount *mount = &f->mount;

	mount->views = views;
	mount->write_kinds = write_kinds;
	mount->images_shared = f->shared;
	mount->store = f->store;
	mount->mountpoint = "/mnt";
	mount->referrers = true;
	mount->uid = getuid();
	mount->gid = getgid();
	pthread_mutex_init(&mount->handles_lock, NULL);
	pthread_mutex_init(&mount->ops_lock, NULL);
	mount->nodes = node_table_new(&f->err);
	assert_non_null(mount->nodes);
	mount->attempts = attempts_new(&f->err);
	assert_non_null(mount->attempts);
	mount->scratches = scratches_new(&f->err);
	assert_non_null(mount->scratches);
	mount->written = written_names_new(&f->err);
	assert_non_null(mount->written);
}

void mount_fixture_open(struct mount_fixture *f, unsigned count)
{
	const struct http_options http = {.user_agent = "test",
	    .connect_timeout = 10,
	    .stall_timeout = 20,
	    .min_rate = 1024,
	    .attempts = 1,
	    .max_wait = 1,
	    .host_connections = 8};
	char cache[128];
	const struct store_options store = {cache, 1 << 30, 2};

	*f = (struct mount_fixture){.count = count};
	assert_true(count <= MOUNT_SOURCES_MAX);
	assert_int_equal(scratch_make(&f->dir), 0);
	snprintf(cache, sizeof(cache), "%s/cache", f->dir.path);
	must(store_open(&store, &f->store, &f->err));
	f->shared = images_shared_new(f->store, &f->err);
	assert_non_null(f->shared);
	f->http = http_new(&http, &f->err);
	assert_non_null(f->http);
	for (unsigned i = 0; i < count; i++)
		open_source(f, i);
	open_mount(f);
}

static void close_source(struct mount_fixture_source *self)
{
	mirrors_free(self->source.mirrors);
	made_free(self->source.made);
	images_free(self->source.images);
	source_close(self->from);
	creds_free(self->creds);
	registry_double_free(self->server);
}

void mount_fixture_close(struct mount_fixture *f)
{
	struct mount *mount = &f->mount;

	written_names_end(mount->written);
	node_table_free(mount->nodes);
	written_names_free(mount->written);
	scratches_free(mount->scratches);
	attempts_free(mount->attempts);
	pthread_mutex_destroy(&mount->handles_lock);
	pthread_mutex_destroy(&mount->ops_lock);
	for (unsigned i = 0; i < f->count; i++)
		close_source(&f->sources[i]);
	images_shared_free(f->shared);
	http_free(f->http);
	store_close(f->store);
	scratch_remove(&f->dir);
}

struct node *fixture_repository(struct mount_fixture *f, unsigned source,
    const char *repository)
{
	struct node *node = NULL;

	must(repo_node(&f->sources[source].source, repository, &node, &f->err));
	return node;
}

int fixture_write(struct mount_fixture *f, struct node *dir, const char *name,
    const void *data, size_t len)
{
	CLEANUP(node_put_p) struct node *node = NULL;
	struct handle handle = {0};
	int r;

	f->err = (struct err)ERR_INIT;
	r = dir->view->create(dir, name, 0644, &node, &f->err);
	if (r < 0)
		return r;
	handle.node = node;
	r = node->view->open(node, O_CREAT | O_WRONLY | O_TRUNC, &handle,
	    &f->err);
	if (r < 0)
		return r;
	r = node->view->write(&handle, data, len, 0, &f->err);
	if (r == 0)
		r = node->view->flush(&handle, &f->err);
	node->view->close(&handle);
	return r;
}

void fixture_rootfs(struct buf *out, const char *content)
{
	static const char zeros[1024];
	size_t len = strlen(content);
	struct err err = ERR_INIT;

	if (tar_header_print(out, "etc/motd", len, 0, &err) < 0 ||
	    buf_add(out, content, len, &err) < 0 ||
	    buf_add(out, zeros, tar_padding(len), &err) < 0 ||
	    buf_add(out, zeros, sizeof(zeros), &err) < 0)
		fail_msg("%s", err.msg);
}

uint64_t fixture_listed(struct mount_fixture *f, struct node *dir,
    const char *name)
{
	CLEANUP(dirlist_free_p) struct dirlist *list = dirlist_new(&f->err);

	assert_non_null(list);
	must(dir->view->list(dir, list, &f->err));
	for (size_t i = 0; i < dirlist_count(list); i++) {
		const struct dirlist_slot *slot = dirlist_at(list, i);

		if (!strcmp(dirlist_name(list, slot), name))
			return slot->ino;
	}
	return 0;
}
