/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of the content of an auth file (authfile.h). All that is not about
 * the host stays in it. */
#ifndef CREDS_DOCUMENT_H
#define CREDS_DOCUMENT_H

#include <stddef.h>

#include "base/err.h"
#include "creds/creds.h"

/*
 * The host has the credential from now on, under a key, and under none of the
 * host's other spellings; NULL: a helper has it, and the entry is empty. *out
 * is a new text for secret_free(). -EINVAL with a sentence that does not repeat
 * the text.
 */
int document_set(const char *text, size_t len, const char *host,
    const char *key, const struct credential *credential, char **out,
    struct err *err);

/* The host has none: 1 with a new text, or 0 where it had none. Namespaces of
 * it keep theirs. */
int document_remove(const char *text, size_t len, const char *host, char **out,
    struct err *err);

#endif
