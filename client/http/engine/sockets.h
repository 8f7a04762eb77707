/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets of libcurl: it does not tell which of them carries a request, nor
 * of each that it closes it. The network thread's.
 */
#ifndef CLIENT_HTTP_SOCKETS_H
#define CLIENT_HTTP_SOCKETS_H

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

struct sockets {
	int *fds; /* that were opened; each once, some may be closed */
	size_t count;
};

/* A connection's two ends. */
struct ends {
	const char *ip, *own_ip;
	int port, own_port;
};

void sockets_init(struct sockets *sockets);

/* Closes none: they are libcurl's. */
void sockets_release(struct sockets *sockets);

/* Opens one, or gives -1 with errno. */
int sockets_open(struct sockets *sockets, const struct curl_sockaddr *address);

/* The open one of that connection, or -1. */
int sockets_find(const struct sockets *sockets, const struct ends *ends);

/* Bytes that were sent and that the other end has not acknowledged; 0 where
 * there is no telling. */
uint64_t socket_queued(int fd);

#endif
