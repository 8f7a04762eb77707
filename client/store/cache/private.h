/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of one process each. */
#ifndef STORE_PRIVATE_H
#define STORE_PRIVATE_H

/* Removes those whose process is gone. */
void private_sweep(const char *dir);

#endif
