/* SPDX-License-Identifier: Apache-2.0 */
/* A file of secrets, written. */
#ifndef CREDS_REPLACE_H
#define CREDS_REPLACE_H

#include "base/err.h"

/*
 * Puts the text in the place of a file, of which others see the one or the
 * other: by a rename, synced, for its owner's eyes alone (0600, directories
 * that are missing 0700). A symbolic link stays one, and its target is
 * replaced. 0 or -errno.
 */
int replace_file(const char *path, const char *text, struct err *err);

#endif
