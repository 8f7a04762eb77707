/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets of the connections. */
#include "sockets.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

void sockets_init(struct sockets *sockets)
{
	*sockets = (struct sockets){0};
}

void sockets_release(struct sockets *sockets)
{
	free(sockets->fds);
}

/* One that there is no memory for is not found later. */
static void remember(struct sockets *sockets, int fd)
{
	int *longer;

	for (size_t i = 0; i < sockets->count; i++)
		if (sockets->fds[i] == fd)
			return;
	longer = reallocarray(sockets->fds, sockets->count + 1, sizeof(fd));
	if (!longer)
		return;
	sockets->fds = longer;
	sockets->fds[sockets->count++] = fd;
}

int sockets_open(struct sockets *sockets, const struct curl_sockaddr *address)
{
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
	    address->protocol);

	if (fd >= 0)
		remember(sockets, fd);
	return fd;
}

static bool is_end(const struct sockaddr_storage *address, const char *ip,
    int port)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	bool is_v6 = address->ss_family == AF_INET6;
	const void *host =
	    is_v6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr;
	char text[INET6_ADDRSTRLEN];

	return ntohs(is_v6 ? v6->sin6_port : v4->sin_port) == port &&
	       inet_ntop(address->ss_family, host, text, sizeof(text)) &&
	       strcmp(text, ip) == 0;
}

static bool is_between(int fd, const struct ends *ends)
{
	struct sockaddr_storage own = {0}, peer = {0};
	socklen_t own_len = sizeof(own), peer_len = sizeof(peer);

	return getsockname(fd, (struct sockaddr *)&own, &own_len) == 0 &&
	       getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0 &&
	       is_end(&own, ends->own_ip, ends->own_port) &&
	       is_end(&peer, ends->ip, ends->port);
}

int sockets_find(const struct sockets *sockets, const struct ends *ends)
{
	for (size_t i = 0; i < sockets->count; i++)
		if (is_between(sockets->fds[i], ends))
			return sockets->fds[i];
	return -1;
}

uint64_t socket_queued(int fd)
{
	int bytes = 0;

	if (fd < 0 || ioctl(fd, SIOCOUTQ, &bytes) < 0 || bytes < 0)
		return 0;
	return (uint64_t)bytes;
}
