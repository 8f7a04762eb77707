/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What eviction knows of the use of a file, whichever process uses it: who has
 * it open holds a shared lock on it, and its mtime is the time of its last use.
 */
#ifndef STORE_USE_H
#define STORE_USE_H

/* From now on eviction leaves the file alone. */
void use_begin(int fd);

/* Notes that the file was used now. */
void use_note(int fd);

#endif
