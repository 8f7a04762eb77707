/* SPDX-License-Identifier: Apache-2.0 */
#include "http_fixture.h"

void fixture_tell(struct fixture *f, size_t value)
{
	pthread_mutex_lock(&f->lock);
	f->told = true;
	f->value = value;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

size_t fixture_wait(struct fixture *f)
{
	size_t value;

	pthread_mutex_lock(&f->lock);
	while (!f->told)
		pthread_cond_wait(&f->changed, &f->lock);
	f->told = false;
	value = f->value;
	pthread_mutex_unlock(&f->lock);
	return value;
}

int fixture_new(void **state, server_answer *answer,
    const struct http_options *options)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = ERR_INIT;

	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	f->server = server_start(answer, f);
	f->http = http_new(options, &err);
	*state = f;
	return f->http ? 0 : -1;
}

int fixture_free(void **state)
{
	struct fixture *f = *state;

	http_free(f->http);
	server_stop(f->server);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	free(f);
	return 0;
}

struct http_response *http_fixture_open(struct fixture *f,
    const struct http_request *request)
{
	struct http_response *r = NULL;
	struct err err = ERR_INIT;

	if (http_open(f->http, request, &r, &err) < 0)
		fail_msg("%s", err.msg);
	return r;
}

void assert_body(struct http_response *r, const char *want)
{
	AUTO_BUF struct buf body = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	if (http_read_all(r, &body, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(buf_str(&body), want);
}

void fixture_get(struct fixture *f, const char *path, const char *body)
{
	struct http_request request = {.method = "GET",
	    .url = server_url(f->server, path)};
	struct http_response *r = http_fixture_open(f, &request);

	assert_body(r, body);
	http_close(r);
}
