/* SPDX-License-Identifier: Apache-2.0 */
/* Trust: against openssl's server, with certificates made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http_fixture.h"

#define NEW_KEY \
	"openssl req -x509 -days 2 -nodes -newkey ec " \
	"-pkeyopt ec_paramgen_curve:prime256v1 "
#define SIGNED "-CA ca.crt -CAkey ca.key "

static const char make_certificates[] =
    "{ " NEW_KEY "-subj /CN=private -keyout ca.key -out ca.crt && " NEW_KEY
    "-subj /CN=other -keyout other.key -out other.crt && " NEW_KEY SIGNED
    "-subj /CN=server -addext subjectAltName=IP:127.0.0.1 "
    "-keyout server.key -out server.crt && " NEW_KEY SIGNED
    "-subj /CN=client -keyout client.key -out client.crt; } 2>make.log";

struct tls_server {
	pid_t pid;
	unsigned port;
};

struct world {
	struct fixture *plain; /* a server without TLS */
	char dir[32];
	struct tls_server open, guarded;
};

static int run(const char *script)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", script, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return status;
}

/* From the server's output, of which one line says it. */
static unsigned read_port(int fd)
{
	FILE *out = fdopen(fd, "r");
	unsigned port = 0;
	char line[256];

	while (!port && fgets(line, sizeof(line), out))
		sscanf(line, "ACCEPT 127.0.0.1:%u", &port);
	fclose(out);
	return port;
}

/* verify: "-verify" asks for a client certificate, "-Verify" insists. */
static struct tls_server start_tls(const char *verify)
{
	struct tls_server server = {0};
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	server.pid = fork();
	if (server.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		execlp("openssl", "openssl", "s_server", "-accept",
		    "127.0.0.1:0", "-cert", "server.crt", "-key", "server.key",
		    "-www", "-CAfile", "ca.crt", verify, "1",
		    "-verify_return_error", NULL);
		_exit(127);
	}
	close(ends[1]);
	server.port = read_port(ends[0]);
	assert_int_not_equal(server.port, 0);
	return server;
}

static void stop_tls(const struct tls_server *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
}

static int ask(struct world *world, const char *host, unsigned port,
    const struct http_tls *tls, struct err *err)
{
	struct http_request request = {.method = "GET", .tls = tls};
	struct http_response *r = NULL;
	char url[128];
	int result;

	snprintf(url, sizeof(url), "https://%s:%u/", host, port);
	request.url = url;
	result = http_open(world->plain->http, &request, &r, err);
	if (result == 0)
		assert_int_equal(http_status(r), 200);
	http_close(r);
	return result;
}

static void refused_with(int code, struct world *world, const char *host,
    unsigned port, const struct http_tls *tls, const char *says)
{
	struct err err = ERR_INIT;

	assert_int_equal(ask(world, host, port, tls, &err), -code);
	if (!strstr(err.msg, says))
		fail_msg("%s", err.msg);
}

static void refused(struct world *world, const char *host, unsigned port,
    const struct http_tls *tls, const char *says)
{
	refused_with(EPROTO, world, host, port, tls, says);
}

static void taken(struct world *world, unsigned port,
    const struct http_tls *tls)
{
	struct err err = ERR_INIT;

	if (ask(world, "127.0.0.1", port, tls, &err) < 0)
		fail_msg("%s", err.msg);
}

static const char *const no_files[] = {NULL};
static const char *const other_file[] = {"other.crt", NULL};
static const char *const both_files[] = {"other.crt", "ca.crt", NULL};
static const char *const no_such_file[] = {"missing.crt", NULL};

static void test_not_trusted(void **state)
{
	static const struct http_tls none = {.ca_files = no_files};
	static const struct http_tls other = {.ca_files = other_file};
	static const char says[] = "/: the server's certificate is not trusted";
	struct world *world = *state;
	unsigned port = world->open.port;

	refused(world, "127.0.0.1", port, NULL, says);
	refused(world, "127.0.0.1", port, &none, says);
	refused(world, "127.0.0.1", port, &other, says);
}

static void test_private_ca(void **state)
{
	static const struct http_tls tls = {.ca_files = both_files};
	static const struct http_tls missing = {.ca_files = no_such_file};
	struct world *world = *state;
	unsigned port = world->open.port;

	taken(world, port, &tls);
	refused(world, "localhost", port, &tls, "matches target host name");
	refused(world, "127.0.0.1", port, &missing, "from missing.crt");
	/* Trust is the request's: the next one has none. */
	refused(world, "127.0.0.1", port, NULL, "not trusted");
}

static void test_insecure(void **state)
{
	static const struct http_tls tls = {.insecure = true};
	struct world *world = *state;

	taken(world, world->open.port, &tls);
	refused(world, "127.0.0.1", world->open.port, NULL, "not trusted");
}

static void test_client_certificate(void **state)
{
	static const struct http_tls nobody = {.ca_files = both_files};
	static const struct http_tls client = {.ca_files = both_files,
	    .cert_file = "client.crt",
	    .key_file = "client.key"};
	static const struct http_tls mixed_up = {.ca_files = both_files,
	    .cert_file = "client.crt",
	    .key_file = "other.key"};
	struct world *world = *state;
	unsigned port = world->guarded.port;

	taken(world, port, &client);
	refused_with(EACCES, world, "127.0.0.1", port, &nobody,
	    "asks for a client certificate");
	refused(world, "127.0.0.1", port, &mixed_up, "client certificate");
}

static void test_no_tls(void **state)
{
	struct world *world = *state;
	unsigned port;

	sscanf(server_url(world->plain->server, ""), "http://127.0.0.1:%u",
	    &port);
	refused(world, "127.0.0.1", port, NULL,
	    "/: the server does not speak TLS");
}

static bool answer_plain(struct peer *peer, const char *head, void *arg)
{
	(void)head;
	(void)arg;
	return peer_reply(peer, 400, "", "this is plain HTTP") && false;
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	void *plain;

	snprintf(world->dir, sizeof(world->dir), "/tmp/test-http-tls-XXXXXX");
	if (!mkdtemp(world->dir) || chdir(world->dir) < 0 ||
	    run(make_certificates) != 0 ||
	    fixture_new(&plain, answer_plain, &fixture_options) < 0)
		return -1;
	world->plain = plain;
	world->open = start_tls("-verify");
	world->guarded = start_tls("-Verify");
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;
	void *plain = world->plain;
	char command[64];

	stop_tls(&world->open);
	stop_tls(&world->guarded);
	fixture_free(&plain);
	snprintf(command, sizeof(command), "rm -r %s", world->dir);
	free(world);
	return run(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_not_trusted),
	    cmocka_unit_test(test_private_ca),
	    cmocka_unit_test(test_insecure),
	    cmocka_unit_test(test_client_certificate),
	    cmocka_unit_test(test_no_tls),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
