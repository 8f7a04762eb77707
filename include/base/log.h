/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line an event, where an error stops and nowhere else. Lines go
 * to standard error, or to syslog once the program has left its terminal, and
 * the last 64 KiB of them are kept in memory to be shown, as
 *
 *	2024-05-09T23:11:10Z warning message
 *
 * Control characters become '?'. errno stays what it was.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO };

/* What --debug= can name. */
enum log_topic {
	LOG_FUSE,
	LOG_HTTP,
	LOG_AUTH,
	LOG_FETCH,
	LOG_STORE,
	LOG_PUSH,
	LOG_TOPICS
};

/* From now on to syslog under `name` instead of standard error. */
void log_to_syslog(const char *name);

/* Turns topics on: "http,fetch" or "all". -EINVAL names the unknown one. */
int log_debug_topics(const char *list, struct err *err);
bool log_debug_on(enum log_topic topic);

/* One line, formatted as by printf(); what is longer than 1,023 bytes is cut.
 * Callable from any thread. log_debug() does nothing while its topic is off. */
void log_line(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_debug(enum log_topic topic, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)

/* Appends the lines kept in memory, oldest first. */
int log_recent(struct buf *out, struct err *err);

/* How many bytes log_recent() would append. */
size_t log_recent_size(void);

#endif
