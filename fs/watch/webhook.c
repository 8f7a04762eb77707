/* SPDX-License-Identifier: Apache-2.0 */
/* The server, by libmicrohttpd. */
#include "webhook.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"

enum {
	BODY_MAX = 1 << 20,
	RATE_MAX = 20,    /* requests in a second */
	CONNECTIONS = 16, /* at the same time */
	SILENCE_MAX = 10, /* seconds */
	MEMORY = 32 << 10,
	BACKLOG = 16,
};

struct webhook {
	struct MHD_Daemon *daemon;
	hint_fn *each;
	void *arg;
	/* Of the thread that answers. */
	int64_t second;
	unsigned in_second;
};

/* A request on its way. */
struct notice {
	struct buf body;
	unsigned refused; /* a status: what follows is not looked at */
};

union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int parse_where(const char *where, union socket_address *out,
    struct err *err)
{
	const char *colon = strrchr(where, ':');
	const char *port = colon ? colon + 1 : where;
	char host[INET6_ADDRSTRLEN + 1] = "127.0.0.1";
	size_t len = colon ? (size_t)(colon - where) : 0;
	const char *text = where;
	bool v6 = len > 2 && where[0] == '[' && where[len - 1] == ']';
	uint64_t number;

	*out = (union socket_address){.any = {0}};
	if (v6) {
		text++;
		len -= 2;
	}
	if (len > 0 && len < sizeof(host)) {
		memcpy(host, text, len);
		host[len] = '\0';
	}
	if (len >= sizeof(host) || !parse_u64(&port, 65535, &number) || *port ||
	    number == 0 ||
	    inet_pton(v6 ? AF_INET6 : AF_INET, host,
		v6 ? (void *)&out->v6.sin6_addr : (void *)&out->v4.sin_addr) !=
		1)
		return err_set(err, EINVAL,
		    "webhook=%s: must be [ADDRESS:]PORT, such as 8080, "
		    "0.0.0.0:8080 or [::1]:8080",
		    where);
	out->any.sa_family = v6 ? AF_INET6 : AF_INET;
	if (v6)
		out->v6.sin6_port = htons((uint16_t)number);
	else
		out->v4.sin_port = htons((uint16_t)number);
	return 0;
}

int webhook_check(const char *where, struct err *err)
{
	union socket_address address;

	return parse_where(where, &address, err);
}

/* The descriptor of a socket that listens, or -errno. */
static int open_socket(const char *where, struct err *err)
{
	const int on = 1;
	union socket_address address;
	int r = parse_where(where, &address, err);
	AUTO_FD int fd = -1;

	if (r < 0)
		return r;
	fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, &address.any,
		address.any.sa_family == AF_INET6 ? sizeof(address.v6)
						  : sizeof(address.v4)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return err_sys(err, "cannot listen at webhook=%s", where);
	return steal_fd(&fd);
}

static enum MHD_Result answer(struct MHD_Connection *connection,
    unsigned status)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(0,
	    (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
	enum MHD_Result r;

	if (!response)
		return MHD_NO;
	r = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return r;
}

static bool is_too_often(struct webhook *webhook)
{
	int64_t now = clock_seconds();

	if (now != webhook->second) {
		webhook->second = now;
		webhook->in_second = 0;
	}
	return ++webhook->in_second > RATE_MAX;
}

static enum MHD_Result begin_call(struct webhook *webhook, const char *method,
    void **out)
{
	struct notice *call = calloc(1, sizeof(*call));

	if (!call)
		return MHD_NO;
	call->body = BUF_INIT(BODY_MAX);
	if (strcmp(method, MHD_HTTP_METHOD_POST) != 0)
		call->refused = MHD_HTTP_METHOD_NOT_ALLOWED;
	else if (is_too_often(webhook))
		call->refused = MHD_HTTP_TOO_MANY_REQUESTS;
	*out = call;
	return MHD_YES;
}

static unsigned end_call(struct webhook *webhook, const struct notice *call)
{
	struct err err = ERR_INIT;

	if (call->refused)
		return call->refused;
	if (hints_read(buf_str(&call->body), call->body.len, webhook->each,
		webhook->arg, &err) < 0) {
		log_debug(LOG_HTTP, "webhook: %s", err.msg);
		return MHD_HTTP_BAD_REQUEST;
	}
	return MHD_HTTP_OK;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection,
    const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_size, void **state)
{
	struct webhook *webhook = arg;
	struct notice *call = *state;

	(void)url;
	(void)version;
	if (!call)
		return begin_call(webhook, method, state);
	if (*upload_size == 0)
		return answer(connection, end_call(webhook, call));
	if (!call->refused &&
	    buf_add(&call->body, upload, *upload_size, ERR_IGNORE) < 0)
		call->refused = MHD_HTTP_CONTENT_TOO_LARGE;
	*upload_size = 0;
	return MHD_YES;
}

static void complete(void *arg, struct MHD_Connection *connection, void **state,
    enum MHD_RequestTerminationCode code)
{
	struct notice *call = *state;

	(void)arg;
	(void)connection;
	(void)code;
	if (!call)
		return;
	buf_release(&call->body);
	free(call);
	*state = NULL;
}

struct webhook *webhook_new(const char *where, hint_fn *each, void *arg,
    struct err *err)
{
	struct webhook *webhook = calloc(1, sizeof(*webhook));
	int fd;

	if (!webhook) {
		err_nomem(err);
		return NULL;
	}
	webhook->each = each;
	webhook->arg = arg;
	fd = open_socket(where, err);
	if (fd >= 0) {
		webhook->daemon =
		    MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD |
					 MHD_USE_POLL,
			0, NULL, NULL, handle, webhook,
			MHD_OPTION_LISTEN_SOCKET, fd,
			MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
			MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_MAX,
			MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY,
			MHD_OPTION_NOTIFY_COMPLETED, complete, NULL,
			MHD_OPTION_END);
		if (!webhook->daemon) {
			close(fd);
			err_set(err, EIO, "cannot listen at webhook=%s", where);
		}
	}
	if (webhook->daemon)
		return webhook;
	free(webhook);
	return NULL;
}

void webhook_free(struct webhook *webhook)
{
	if (!webhook)
		return;
	MHD_stop_daemon(webhook->daemon);
	free(webhook);
}
