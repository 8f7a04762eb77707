/* SPDX-License-Identifier: Apache-2.0 */
/* Which names lead to this machine by hosts(5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hosts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char table[] = "# a comment: 127.0.0.1 commented\n"
			    "127.0.0.1 localhost\tdev.docker.local\n"
			    "  127.0.1.1\tmachine machine.example.com # alias\n"
			    "::1 six both\r\n"
			    "127.0.0.1 both\n"
			    "127.0.0.1 mixed\n"
			    "192.0.2.1 mixed lan.example.com\n"
			    "0.0.0.0 blocked.example.com\n"
			    "127.0.0 half\n"
			    "fe80::1%lo scoped\n"
			    "\n"
			    "127.0.0.1\n"
			    "::ffff:127.0.0.1 mapped\n"
			    "127.9.9.9 last";

static void names(void **state)
{
	static const struct {
		const char *host;
		bool loopback;
	} cases[] = {
	    {"dev.docker.local", true},
	    {"dev.docker.local:5000", true},
	    {"DEV.Docker.Local:5000", true},
	    {"docker.local", false},
	    {"dev.docker.loca", false},
	    {"dev.docker.local.example.com", false},
	    {"machine.example.com", true},
	    {"alias", false},
	    {"commented", false},
	    {"six", true},
	    {"both", true},
	    {"mixed", false},
	    {"lan.example.com", false},
	    {"blocked.example.com", false},
	    {"half", false},
	    {"scoped", false},
	    {"mapped", false},
	    {"last", true},
	    {"127.0.0.1", false},
	    {"unknown", false},
	    {"", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(hosts_loopback(table, cases[i].host),
		    cases[i].loopback);
	assert_false(hosts_loopback("", "localhost"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
