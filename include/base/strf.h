/* SPDX-License-Identifier: Apache-2.0 */
/* Text that is made as printf(3) makes it. */
#ifndef BASE_STRF_H
#define BASE_STRF_H

/* A new string, which the caller frees; NULL when out of memory. */
char *strf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
