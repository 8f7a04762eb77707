/* SPDX-License-Identifier: Apache-2.0 */
/* The log, and the ring that keeps its last lines. */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "base/lock.h"

enum {
	/* Some hundred lines: enough to see what led to a failure. */
	RING_SIZE = 64 * 1024,
	/* An error's message with the context that the caller adds. */
	MESSAGE_SIZE = 1024,
	LINE_SIZE = MESSAGE_SIZE + 64,
};

/*
 * In the order of enum log_topic. <syslog.h> has a LOG_AUTH of its own, so this
 * file cannot name the topics.
 */
static const char *const topic_names[] = {
    "fuse",
    "http",
    "auth",
    "fetch",
    "store",
    "push",
};
static_assert(sizeof(topic_names) / sizeof(topic_names[0]) == LOG_TOPICS,
    "every topic has a name");

static atomic_uint topics_on;
static atomic_bool use_syslog;

/* The last lines, each with its newline, the oldest whole one at start. */
static struct {
	pthread_mutex_t lock;
	char data[RING_SIZE]; /* under lock, like the others */
	size_t start;
	size_t len;
} ring = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void ring_drop_line(void)
{
	char c;

	do {
		c = ring.data[ring.start];
		ring.start = (ring.start + 1) % RING_SIZE;
		ring.len--;
	} while (c != '\n');
}

static void ring_add(const char *line, size_t len)
{
	SCOPED_LOCK(&ring.lock);

	assert(len <= RING_SIZE && line[len - 1] == '\n');
	while (RING_SIZE - ring.len < len)
		ring_drop_line();
	for (size_t i = 0; i < len; i++)
		ring.data[(ring.start + ring.len + i) % RING_SIZE] = line[i];
	ring.len += len;
}

int log_recent(struct buf *out, struct err *err)
{
	SCOPED_LOCK(&ring.lock);
	size_t tail = RING_SIZE - ring.start;
	size_t first = ring.len < tail ? ring.len : tail;
	int r;

	/* Room for all of it first: all or nothing is appended. */
	r = buf_reserve(out, ring.len, err);
	if (r < 0)
		return r;
	r = buf_add(out, ring.data + ring.start, first, err);
	if (r < 0)
		return r;
	return buf_add(out, ring.data, ring.len - first, err);
}

size_t log_recent_size(void)
{
	SCOPED_LOCK(&ring.lock);

	return ring.len;
}

void log_to_syslog(const char *name)
{
	/* openlog() keeps the pointer. */
	static char ident[64];

	snprintf(ident, sizeof(ident), "%s", name);
	openlog(ident, LOG_PID, LOG_DAEMON);
	atomic_store(&use_syslog, true);
}

/* The bits of one name of the list, 0 for an unknown one. */
static unsigned topic_bits(const char *name, size_t len)
{
	if (len == 3 && memcmp(name, "all", len) == 0)
		return (1U << LOG_TOPICS) - 1;
	for (unsigned i = 0; i < LOG_TOPICS; i++)
		if (strlen(topic_names[i]) == len &&
		    memcmp(topic_names[i], name, len) == 0)
			return 1U << i;
	return 0;
}

int log_debug_topics(const char *list, struct err *err)
{
	unsigned bits = 0;

	for (const char *p = list;; p++) {
		size_t len = strcspn(p, ",");
		unsigned found = topic_bits(p, len);

		if (!found)
			return err_set(err, EINVAL,
			    "\"%.*s\" is not a debug topic", (int)len, p);
		bits |= found;
		p += len;
		if (!*p)
			break;
	}
	atomic_fetch_or(&topics_on, bits);
	return 0;
}

bool log_debug_on(enum log_topic topic)
{
	return atomic_load(&topics_on) & 1U << topic;
}

/* Keeps the line and sends it where the log goes. */
static void emit(int priority, const char *level, const char *text)
{
	char message[MESSAGE_SIZE], line[LINE_SIZE], when[32];
	time_t now = time(NULL);
	struct tm tm;
	int len;

	err_clean(message, sizeof(message), text, strlen(text));
	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	len = snprintf(line, sizeof(line), "%s %s %s\n", when, level, message);
	assert(len > 0 && len < LINE_SIZE);
	ring_add(line, (size_t)len);
	if (atomic_load(&use_syslog))
		syslog(priority, "%s", message);
	else
		fprintf(stderr, "registryfs: %s: %s\n", level, message);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const struct {
		int priority;
		const char *name;
	} levels[] = {
	    [LOG_LEVEL_ERROR] = {LOG_ERR, "error"},
	    [LOG_LEVEL_WARN] = {LOG_WARNING, "warning"},
	    [LOG_LEVEL_INFO] = {LOG_INFO, "info"},
	};
	int saved = errno;
	char text[MESSAGE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	emit(levels[level].priority, levels[level].name, text);
	errno = saved;
}

void log_debug(enum log_topic topic, const char *fmt, ...)
{
	int saved = errno;
	char text[MESSAGE_SIZE];
	char level[32];
	va_list args;

	if (!log_debug_on(topic))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(level, sizeof(level), "debug-%s", topic_names[topic]);
	emit(LOG_DEBUG, level, text);
	errno = saved;
}
