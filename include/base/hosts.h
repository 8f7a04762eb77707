/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hosts(5). That a name is at an address by this machine's own table needs no
 * proof. That it is there by DNS does: a stranger's answer may lead elsewhere
 * the next moment.
 */
#ifndef BASE_HOSTS_H
#define BASE_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* A question about an address, which is text of that length. */
typedef bool hosts_test_fn(const char *address, size_t len, const void *arg);

/* Whether the text of a table has the name of the host ("NAME[:PORT]", in any
 * case), and the test passes for each address that it has for it. */
bool hosts_all(const char *text, const char *host, hosts_test_fn *test,
    const void *arg);

/* The same whether all of them are of loopback. */
bool hosts_loopback(const char *text, const char *host);

/* The text of /etc/hosts, "" where it cannot be read. */
struct buf hosts_read(void);

#endif
