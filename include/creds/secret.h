/* SPDX-License-Identifier: Apache-2.0 */
/* Owning locals that leave no trace in freed memory. */
#ifndef CREDS_SECRET_H
#define CREDS_SECRET_H

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

/* Overwrites the text, then frees it. NULL does nothing. */
static inline void secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

DEFINE_CLEANUP(char *, secret_free);

/* As buf_release(), after all that was allocated is overwritten. */
static inline void secret_release(struct buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->cap);
	buf_release(buf);
}

#define AUTO_SECRET CLEANUP(secret_free_p)
#define AUTO_SECRET_BUF CLEANUP(secret_release)

#endif
