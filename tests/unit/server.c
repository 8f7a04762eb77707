/* SPDX-License-Identifier: Apache-2.0 */
/* The scripted server. */
#include "server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	HEAD_SIZE = 16 * 1024,
	MAX_PEERS = 512,
	/* Longer than a client that goes on needs to read something. */
	STUCK_MS = 300,
};

struct peer {
	struct server *server;
	pthread_t thread;
	int fd; /* its thread's; changed under the server's lock */
	unsigned number;
	char head[HEAD_SIZE]; /* and what came behind it */
	size_t len, head_len;
};

struct server {
	server_answer *answer;
	void *arg;
	int listener;
	uint16_t port;
	pthread_t thread;
	atomic_uint requests;
	pthread_mutex_t lock;
	struct peer *peers[MAX_PEERS]; /* the accepting thread's */
	size_t count;
};

/* The first byte of TLS. */
static bool is_tls(const struct peer *peer)
{
	return peer->len > 0 && peer->head[0] == 0x16;
}

/* Waits for the rest of a head; false when the client has gone. */
static bool receive_head(struct peer *peer)
{
	for (;;) {
		const char *end = NULL;
		ssize_t n;

		if (is_tls(peer)) {
			peer->head_len = 0;
			return true;
		}
		peer->head[peer->len] = '\0';
		end = strstr(peer->head, "\r\n\r\n");
		if (end) {
			peer->head_len = (size_t)(end - peer->head) + 4;
			return true;
		}
		n = recv(peer->fd, peer->head + peer->len,
		    HEAD_SIZE - 1 - peer->len, 0);
		if (n <= 0)
			return false;
		peer->len += (size_t)n;
	}
}

static void forget(struct peer *peer, size_t n)
{
	peer->len -= n;
	memmove(peer->head, peer->head + n, peer->len);
}

static void close_peer(struct peer *peer)
{
	pthread_mutex_lock(&peer->server->lock);
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
	pthread_mutex_unlock(&peer->server->lock);
}

/* Wakes the peer's thread wherever it waits. */
static void break_peer(struct peer *peer)
{
	pthread_mutex_lock(&peer->server->lock);
	if (peer->fd >= 0)
		shutdown(peer->fd, SHUT_RDWR);
	pthread_mutex_unlock(&peer->server->lock);
}

static void *serve(void *arg)
{
	struct peer *peer = arg;
	struct server *server = peer->server;
	bool keep = true;

	while (keep && receive_head(peer)) {
		char head[HEAD_SIZE];

		memcpy(head, peer->head, peer->head_len);
		head[peer->head_len] = '\0';
		forget(peer, peer->head_len);
		peer->number = atomic_fetch_add(&server->requests, 1) + 1;
		keep = server->answer(peer, head, server->arg);
	}
	close_peer(peer);
	return NULL;
}

static void *accept_peers(void *arg)
{
	struct server *server = arg;

	for (;;) {
		struct peer *peer;
		int fd = accept(server->listener, NULL, NULL);

		if (fd < 0)
			return NULL;
		assert(server->count < MAX_PEERS);
		peer = calloc(1, sizeof(*peer));
		assert(peer);
		peer->server = server;
		peer->fd = fd;
		pthread_create(&peer->thread, NULL, serve, peer);
		server->peers[server->count++] = peer;
	}
}

struct server *server_start(server_answer *answer, void *arg)
{
	struct server *server = calloc(1, sizeof(*server));
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int r;

	assert(server);
	pthread_mutex_init(&server->lock, NULL);
	server->answer = answer;
	server->arg = arg;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	r = bind(server->listener, (struct sockaddr *)&address, len);
	assert(r == 0);
	r = listen(server->listener, 64);
	assert(r == 0);
	r = getsockname(server->listener, (struct sockaddr *)&address, &len);
	assert(r == 0);
	server->port = ntohs(address.sin_port);
	r = pthread_create(&server->thread, NULL, accept_peers, server);
	assert(r == 0);
	return server;
}

void server_stop(struct server *server)
{
	shutdown(server->listener, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->listener);
	for (size_t i = 0; i < server->count; i++)
		break_peer(server->peers[i]);
	for (size_t i = 0; i < server->count; i++) {
		pthread_join(server->peers[i]->thread, NULL);
		free(server->peers[i]);
	}
	pthread_mutex_destroy(&server->lock);
	free(server);
}

const char *server_url(const struct server *server, const char *path)
{
	static _Thread_local char urls[4][512];
	static _Thread_local unsigned last;
	char *url = urls[last++ % 4];

	snprintf(url, sizeof(urls[0]), "http://127.0.0.1:%u%s", server->port,
	    path);
	return url;
}

unsigned server_requests(struct server *server)
{
	return atomic_load(&server->requests);
}

unsigned peer_number(const struct peer *peer)
{
	return peer->number;
}

bool peer_send_bytes(struct peer *peer, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = send(peer->fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

bool peer_send(struct peer *peer, const char *text)
{
	return peer_send_bytes(peer, text, strlen(text));
}

bool peer_reply(struct peer *peer, int status, const char *fields,
    const char *body)
{
	char head[1024];

	snprintf(head, sizeof(head),
	    "HTTP/1.1 %d Scripted\r\nContent-Length: %zu\r\n%s\r\n", status,
	    strlen(body), fields);
	return peer_send(peer, head) && peer_send(peer, body);
}

bool peer_receive(struct peer *peer, void *out, size_t n)
{
	char *p = out;

	while (n > 0) {
		char chunk[64 * 1024];
		size_t want = n < sizeof(chunk) ? n : sizeof(chunk);
		size_t early = peer->len < want ? peer->len : want;
		ssize_t got = (ssize_t)early;

		if (early > 0) {
			memcpy(chunk, peer->head, early);
			forget(peer, early);
		} else {
			got = recv(peer->fd, chunk, want, 0);
		}
		if (got <= 0)
			return false;
		if (p) {
			memcpy(p, chunk, (size_t)got);
			p += got;
		}
		n -= (size_t)got;
	}
	return true;
}

void peer_hold_little(struct peer *peer)
{
	int size = 64 * 1024;

	setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

void peer_wait_gone(struct peer *peer)
{
	char c;

	while (recv(peer->fd, &c, 1, 0) > 0)
		;
}

void peer_reset(struct peer *peer)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close_peer(peer);
}

bool peer_is_stuck(struct peer *peer)
{
	struct pollfd poller = {.fd = peer->fd, .events = POLLOUT};

	return poll(&poller, 1, STUCK_MS) == 0;
}

bool head_field(const char *head, const char *name, char *out, size_t size)
{
	size_t len = strlen(name);

	for (const char *p = strstr(head, "\r\n"); p; p = strstr(p, "\r\n")) {
		p += 2;
		if (strncasecmp(p, name, len) != 0 || p[len] != ':')
			continue;
		p += len + 1;
		p += strspn(p, " ");
		snprintf(out, size, "%.*s", (int)strcspn(p, "\r"), p);
		return true;
	}
	return false;
}

bool head_is_for(const char *head, const char *path)
{
	const char *p = strchr(head, ' ');
	size_t len = strlen(path);

	return p && strncmp(p + 1, path, len) == 0 &&
	       (p[len + 1] == ' ' || p[len + 1] == '?');
}
