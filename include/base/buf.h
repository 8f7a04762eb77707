/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte buffer with a limit that is given when it is made, so that nothing a
 * stranger sends can grow without bound. The bytes are followed by a NUL that
 * does not count; buf_str() is never NULL.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct buf {
	char *data;   /* NULL while nothing was added */
	size_t len;   /* bytes in use */
	size_t cap;   /* bytes allocated */
	size_t limit; /* len never exceeds it */
};

#define BUF_INIT(limit_) ((struct buf){NULL, 0, 0, (limit_)})

/* Appends. -EFBIG past the limit, -ENOMEM; the buffer then is as it was. */
int buf_add(struct buf *buf, const void *data, size_t len, struct err *err);
int buf_addstr(struct buf *buf, const char *text, struct err *err);
int buf_addf(struct buf *buf, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Makes room for `more` bytes at data + len. The caller who fills it adds to
 * len, and the NUL after. Errors as buf_add().
 */
int buf_reserve(struct buf *buf, size_t more, struct err *err);

/* The content with a NUL after it, valid until the next change; "" while
 * nothing was added. */
const char *buf_str(const struct buf *buf);

/* Forgets the content, keeps the memory. */
void buf_reset(struct buf *buf);

/* Frees; the buffer is empty and can be used again. */
void buf_release(struct buf *buf);

/* The content, NUL-terminated, owned by the caller; NULL when out of memory. */
char *buf_steal(struct buf *buf);

#define AUTO_BUF CLEANUP(buf_release)

#endif
