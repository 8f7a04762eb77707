/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: lines in memory, and the file that they go to. */
#include "image/journal.h"

#include <stdatomic.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/log.h"

enum {
	/* An error's sentence with all of it escaped, names and digests. */
	LINE_MAX = 8 << 10,
	/* What may wait to be written: events of some thousand tags that are
	 * new in one list. */
	PENDING_MAX = 4 << 20,
};

struct journal_file {
	atomic_uint refs;
	unsigned number;
	int fd; /* -1 until size is more than 0 */
	atomic_uint_fast64_t size;
	atomic_int_fast64_t changed;
};

struct journal {
	struct store *store;
	uint64_t max;
	pthread_mutex_t lock;
	/* Under lock. */
	journal_fn *listener;
	void *listener_arg;
	struct buf pending; /* lines */
	uint64_t lost;      /* events that are in no file */
	bool writing;       /* a thread is: it also writes what others add
			     * meanwhile */
	struct journal_file *file; /* another one by who writes alone */
};

static struct journal_file *file_new(unsigned number)
{
	struct journal_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	atomic_init(&file->refs, 1);
	file->number = number;
	file->fd = -1;
	atomic_init(&file->changed, time(NULL));
	return file;
}

struct journal_file *journal_file_hold(struct journal_file *file)
{
	atomic_fetch_add(&file->refs, 1);
	return file;
}

void journal_file_put(struct journal_file *file)
{
	if (!file || atomic_fetch_sub(&file->refs, 1) > 1)
		return;
	cleanup_fd(&file->fd);
	free(file);
}

unsigned journal_file_number(const struct journal_file *file)
{
	return file->number;
}

uint64_t journal_file_size(struct journal_file *file)
{
	return atomic_load(&file->size);
}

time_t journal_file_changed(struct journal_file *file)
{
	return (time_t)atomic_load(&file->changed);
}

ssize_t journal_file_read(struct journal_file *file, void *data, size_t len,
    uint64_t off, struct err *err)
{
	uint64_t size = journal_file_size(file);

	if (off >= size)
		return 0;
	if (len > size - off)
		len = (size_t)(size - off);
	return file_pread(file->fd, data, len, off, err);
}

struct journal *journal_new(struct store *store, uint64_t max, struct err *err)
{
	CLEANUP(journal_free_p)
	struct journal *journal = calloc(1, sizeof(*journal));

	if (!journal) {
		err_nomem(err);
		return NULL;
	}
	journal->store = store;
	journal->max = max;
	journal->pending = BUF_INIT(PENDING_MAX);
	pthread_mutex_init(&journal->lock, NULL);
	journal->file = file_new(1);
	if (!journal->file) {
		err_nomem(err);
		return NULL;
	}
	return steal(&journal);
}

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	journal_file_put(journal->file);
	buf_release(&journal->pending);
	pthread_mutex_destroy(&journal->lock);
	free(journal);
}

struct journal_file *journal_file_get(struct journal *journal)
{
	SCOPED_LOCK(&journal->lock);

	return journal_file_hold(journal->file);
}

static void add_digest(struct json *json, const char *name,
    const struct digest *digest)
{
	char text[DIGEST_TEXT_SIZE];

	if (digest)
		json_text(json, name, digest_format(digest, text));
}

static void add_text(struct json *json, const char *name, const char *text)
{
	if (text)
		json_text(json, name, text);
}

static void begin_line(struct json *json, const char *name)
{
	json_open(json, NULL, '{');
	json_time(json, "time", time(NULL));
	json_text(json, "event", name);
}

static int print_event(struct buf *out, const struct image_event *event,
    struct err *err)
{
	struct json json = JSON_INIT(out, false, err);

	begin_line(&json, event->name);
	add_text(&json, "registry", event->registry);
	add_text(&json, "repository", event->repository);
	add_text(&json, "tag", event->tag);
	add_digest(&json, "digest", event->digest);
	add_digest(&json, "before", event->before);
	add_text(&json, "by", event->by);
	if (event->push) {
		json_count(&json, "bytes", event->push->received);
		json_count(&json, "sent_bytes", event->push->sent);
		json_seconds(&json, "seconds", event->push->seconds);
	}
	add_text(&json, "error", event->error);
	json_close(&json, '}');
	return json.r;
}

void journal_add(struct journal *journal, const struct image_event *event)
{
	AUTO_BUF struct buf line = BUF_INIT(LINE_MAX);
	int r = print_event(&line, event, ERR_IGNORE);

	SCOPED_LOCK(&journal->lock);
	if (r == 0 && journal->listener)
		journal->listener(journal->listener_arg, event, buf_str(&line));
	if (r == 0)
		r = buf_add(&journal->pending, line.data, line.len, ERR_IGNORE);
	if (r < 0)
		journal->lost++;
}

void journal_listen(struct journal *journal, journal_fn *fn, void *arg)
{
	SCOPED_LOCK(&journal->lock);

	journal->listener = fn;
	journal->listener_arg = arg;
}

/* Bytes have their place when all of them are there. */
static int append(struct journal *journal, const struct buf *lines,
    struct err *err)
{
	struct journal_file *file = journal->file;
	uint64_t size = journal_file_size(file);
	int r;

	if (file->fd < 0)
		file->fd = store_temp(journal->store, err);
	if (file->fd < 0)
		return -err->code;
	r = file_pwrite(file->fd, lines->data, lines->len, size, err);
	if (r < 0)
		return r;
	atomic_store(&file->changed, time(NULL));
	atomic_store(&file->size, size + lines->len);
	return 0;
}

/* An event of the journal's own; a count of 0 is left out. */
static int print_own(struct buf *out, const char *name, uint64_t count,
    struct err *err)
{
	struct json json = JSON_INIT(out, false, err);

	begin_line(&json, name);
	if (count)
		json_count(&json, "count", count);
	json_close(&json, '}');
	return json.r;
}

/* Begins another file, and says so in the old one. */
static int rotate(struct journal *journal, struct err *err)
{
	CLEANUP(journal_file_put_p)
	struct journal_file *file = file_new(journal->file->number + 1);
	AUTO_BUF struct buf line = BUF_INIT(LINE_MAX);
	int r = file ? print_own(&line, "continued", 0, err) : err_nomem(err);

	if (r == 0)
		r = append(journal, &line, err);
	if (r < 0)
		return r;
	SCOPED_LOCK(&journal->lock);
	struct journal_file *before = journal->file;

	journal->file = file;
	file = before;
	return 0;
}

static int write_lines(struct journal *journal, const struct buf *lines,
    uint64_t lost, struct err *err)
{
	AUTO_BUF struct buf first = BUF_INIT(LINE_MAX);
	uint64_t size = journal_file_size(journal->file);
	int r = 0;

	if (size > 0 && size + lines->len > journal->max)
		r = rotate(journal, err);
	if (r == 0 && lost)
		r = print_own(&first, "lost", lost, err);
	if (r == 0 && first.len)
		r = append(journal, &first, err);
	return r < 0 ? r : append(journal, lines, err);
}

/* What is to be written next; mine: the caller is the one who writes. False
 * where there is nothing, or somebody else takes it along. */
static bool take_pending(struct journal *journal, bool mine, struct buf *lines,
    uint64_t *lost)
{
	SCOPED_LOCK(&journal->lock);

	if (journal->writing && !mine)
		return false;
	journal->writing = journal->pending.len > 0;
	if (!journal->writing)
		return false;
	*lines = journal->pending;
	*lost = journal->lost;
	journal->pending = BUF_INIT(PENDING_MAX);
	journal->lost = 0;
	return true;
}

static uint64_t count_lines(const struct buf *lines)
{
	uint64_t count = 0;

	for (size_t i = 0; i < lines->len; i++)
		count += lines->data[i] == '\n';
	return count;
}

static void take_loss(struct journal *journal, uint64_t lost)
{
	SCOPED_LOCK(&journal->lock);

	journal->lost += lost;
}

void journal_flush(struct journal *journal)
{
	struct buf lines;
	uint64_t lost;
	bool mine = false;

	while (take_pending(journal, mine, &lines, &lost)) {
		struct err err = ERR_INIT;

		mine = true;
		if (write_lines(journal, &lines, lost, &err) < 0) {
			log_warn("events are lost: %s", err.msg);
			take_loss(journal, lost + count_lines(&lines));
		}
		buf_release(&lines);
	}
}
