/* SPDX-License-Identifier: Apache-2.0 */
/* Spellings of a host, as "HOST[:PORT]": one host has many of them. */
#ifndef BASE_HOST_NAME_H
#define BASE_HOST_NAME_H

#include <stddef.h>

enum { HOST_NAME_SIZE = 272 };

/*
 * The one spelling of a host: a name in lower case, without a dot at its end;
 * an address as inet_ntop(3) writes it (127.1 is 127.0.0.1), one of IPv6 in
 * brackets; a port without zeros before it. What is no host, or is too long,
 * comes out as it is, cut to the size.
 */
void host_name_canonical(const char *host, char out[HOST_NAME_SIZE]);

#endif
