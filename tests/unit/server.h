/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scripted HTTP server on a loopback port, inside the test: a thread a
 * connection, and a function of the test that writes each answer as bytes, so
 * that it can be as wrong as a test needs it.
 */
#ifndef TESTS_UNIT_SERVER_H
#define TESTS_UNIT_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server;
struct peer;

/* Answers the request with that head (its lines up to the empty one; "" for a
 * client that begins with TLS). The connection is kept if it returns true. Runs
 * in the connection's thread. */
typedef bool server_answer(struct peer *peer, const char *head, void *arg);

struct server *server_start(server_answer *answer, void *arg);

/* Breaks all connections, and waits for their threads. */
void server_stop(struct server *server);

/* "http://127.0.0.1:PORT" + path; valid until the thread's next four. */
const char *server_url(const struct server *server, const char *path);

/* How many requests came so far. */
unsigned server_requests(struct server *server);

/* This request's number, from 1, in the order of arrival. */
unsigned peer_number(const struct peer *peer);

/* Sends; false when the client has gone. */
bool peer_send(struct peer *peer, const char *text);
bool peer_send_bytes(struct peer *peer, const void *data, size_t len);

/* An answer of that status with a Content-Length, more fields ("A: b\r\n", or
 * "") and a body. */
bool peer_reply(struct peer *peer, int status, const char *fields,
    const char *body);

/* Receives n bytes of the request's body into out (NULL: nowhere). */
bool peer_receive(struct peer *peer, void *out, size_t n);

/* From now on the connection holds few bytes that were not received: a client
 * that sends more keeps them in its own queue. */
void peer_hold_little(struct peer *peer);

/* Returns when the client has closed the connection, or the server stops. */
void peer_wait_gone(struct peer *peer);

/* Closes with a TCP reset; the answer function then returns false. */
void peer_reset(struct peer *peer);

/* Whether the client takes no more bytes for a while. */
bool peer_is_stuck(struct peer *peer);

/* The value of a field in a head, trimmed, into out; false without it. */
bool head_field(const char *head, const char *name, char *out, size_t size);

/* Whether the request is for this path, whatever its query. */
bool head_is_for(const char *head, const char *path);

#endif
