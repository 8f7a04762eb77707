/* SPDX-License-Identifier: Apache-2.0 */
/* registries.conf, hosts.toml and daemon.json: what they come to, and in which
 * line bad ones are refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int parse(const char *text, bool drop_in, struct rules *rules,
    struct err *err)
{
	return containers_parse(text, strlen(text), "/etc/x.conf", drop_in,
	    rules, err);
}

/* "prefix -> address/namespace tags,digests; mirrors…" */
static void print_place(const struct rule_place *place, struct buf *out)
{
	struct err err = ERR_INIT;

	buf_addf(out, &err, " %s%s|%s%s%s%s",
	    place->address ? place->address : "=",
	    place->path ? place->path : "",
	    place->namespace ? place->namespace : "",
	    place->by_tag ? " tags" : "", place->by_digest ? " digests" : "",
	    place->trust.insecure ? " insecure" : "");
}

static void print_rule(const struct rule *rule, struct buf *out)
{
	struct err err = ERR_INIT;

	buf_addf(out, &err, "%s%s:", rule->prefix,
	    rule->blocked ? " blocked" : "");
	for (size_t i = 0; i < rule->mirror_count; i++) {
		print_place(&rule->mirrors[i], out);
		buf_addstr(out, ",", &err);
	}
	print_place(&rule->place, out);
	buf_addstr(out, "\n", &err);
}

static const struct {
	const char *text, *rules;
} good[] = {
    {"", ""},
    {"unqualified-search-registries = ['docker.io']\nshort-name-mode = ''\n"
     "[aliases]\n'a' = 'docker.io/library/a'\n",
	""},
    {"[[registry]]\nlocation = 'reg.example.com'\n",
	"reg.example.com: reg.example.com| tags digests\n"},
    {"[[registry]]\nprefix = 'a.b/c/'\nlocation = 'd.e:5000/f/g/'\n"
     "insecure = true\nblocked = true\nunknown = 1",
	"a.b/c blocked: d.e:5000|f/g tags digests insecure\n"},
    {"[[registry]]\nprefix = '*.a.b'\n", "*.a.b: =| tags digests\n"},
    {"[[registry]]\nprefix = '*.a.b'\nlocation = 'c.d/e'\n",
	"*.a.b: c.d|e tags digests\n"},
    {"[[registry]]\nlocation = 'a.b'\n"
     "[[registry.mirror]]\nlocation = 'm1.c/d'\ninsecure = true\n"
     "[[registry.mirror]]\nlocation = 'm2.c'\npull-from-mirror = 'all'\n"
     "[[registry.mirror]]\nlocation = 'm3.c'\n"
     "pull-from-mirror = 'digest-only'\n"
     "[[registry.mirror]]\nlocation = 'm4.c'\n"
     "pull-from-mirror = 'tag-only'\n",
	"a.b: m1.c|d tags digests insecure, m2.c| tags digests, "
	"m3.c| digests, m4.c| tags, a.b| tags digests\n"},
    {"[[registry]]\nlocation = 'a.b'\nmirror-by-digest-only = true\n"
     "mirror = [{location = 'm.c'}]\n",
	"a.b: m.c| digests, a.b| tags digests\n"},
    {"[[registry]]\nlocation = 'a.b'\n[[registry]]\nlocation = 'c.d'\n"
     "[[registry]]\nprefix = 'a.b'\nlocation = 'e.f'\n",
	"a.b: e.f| tags digests\nc.d: c.d| tags digests\n"},
    {"[registries.search]\nregistries = ['x.y']\n"
     "[registries.insecure]\nregistries = ['a.b', 'c.d']\n"
     "[registries.block]\nregistries = ['c.d', 'e.f/g']\n",
	"c.d blocked: c.d| tags digests insecure\n"
	"e.f/g blocked: e.f|g tags digests\n"
	"a.b: a.b| tags digests insecure\n"},
};

static void containers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		CLEANUP(rules_release) struct rules rules = {0};
		AUTO_BUF struct buf out = BUF_INIT(1 << 16);
		struct err err = ERR_INIT;

		if (parse(good[i].text, false, &rules, &err) < 0)
			fail_msg("%s: %s", good[i].text, err.msg);
		for (size_t j = 0; j < rules.count; j++)
			print_rule(&rules.list[j], &out);
		assert_string_equal(buf_str(&out), good[i].rules);
	}
}

static const struct {
	const char *text, *says;
	bool drop_in;
} bad[] = {
    {"[[registry]\n", "line 1: ']]' is missing", false},
    {"registry = 1", "line 1: \"registry\" is not an array", false},
    {"[registry]", "line 1: \"registry\" is not an array", false},
    {"[[registry]]", "line 1: a registry has no location", false},
    {"[[registry]]\nprefix = 'a.b'", "line 1: a registry has no location",
	false},
    {"\n[[registry]]\nlocation = 'http://a.b'",
	"line 2: location \"http://a.b\": it has a scheme", false},
    {"[[registry]]\nlocation = '/'", "line 1: location \"/\": it is empty",
	false},
    {"[[registry]]\nlocation = '/x'", "line 1: location \"/x\": it has no host",
	false},
    {"[[registry]]\nlocation = 'a.b'\ninsecure = 'yes'",
	"line 3: \"insecure\" is not true or false", false},
    {"[[registry]]\nlocation = 'a.b'\nblocked = 1",
	"line 3: \"blocked\" is not true or false", false},
    {"[[registry]]\nprefix = '*.a.b/c'\nlocation = 'd.e'",
	"line 1: prefix \"*.a.b/c\": a wildcard", false},
    {"[[registry]]\nprefix = 'a.*.b'\nlocation = 'd.e'", "a wildcard", false},
    {"[[registry]]\nprefix = '*.a.b:5000'", "a wildcard", false},
    {"[[registry]]\nlocation = 'a.b'\n[[registry.mirror]]\ninsecure = true",
	"line 3: a mirror has no location", false},
    {"[[registry]]\nlocation = 'a.b'\n[[registry.mirror]]\nlocation = 'm.c'\n"
     "pull-from-mirror = 'never'",
	"line 3: pull-from-mirror is \"never\"", false},
    {"[[registry]]\nlocation = 'a.b'\nmirror-by-digest-only = true\n"
     "[[registry.mirror]]\nlocation = 'm.c'\npull-from-mirror = 'all'",
	"line 4: pull-from-mirror is not allowed", false},
    {"[[registry]]\nlocation = 'a.b'\n[[registry]]\nprefix = 'c.d'\n"
     "location = 'a.b'\nblocked = true",
	"line 3: another registry with the same location", false},
    {"[aliases]\na = 1", "line 2: the alias \"a\" is not a string", false},
    {"unqualified-search-registries = [1]", "is not a string", false},
    {"[registries.search]\nregistries = ['a.b']\n[[registry]]\n"
     "location = 'a.b'",
	"of the older format", false},
    {"[registries.search]\nregistries = ['a.b']", "of the older format", true},
    {"[registries.block]\nregistries = ['http://a.b']",
	"line 2: \"http://a.b\": it has a scheme", false},
};

static void containers_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		CLEANUP(rules_release) struct rules rules = {0};
		struct err err = ERR_INIT;

		if (parse(bad[i].text, bad[i].drop_in, &rules, &err) != -EINVAL)
			fail_msg("it is taken: %s", bad[i].text);
		if (strncmp(err.msg, "/etc/x.conf: line ", 18) != 0 ||
		    !strstr(err.msg, bad[i].says))
			fail_msg("%s: %s", bad[i].text, err.msg);
	}
}

static void prefixes(void **state)
{
	static const struct {
		const char *prefix, *name;
		size_t len;
	} cases[] = {
	    {"a.b", "a.b", 3},
	    {"a.b", "a.b/c", 3},
	    {"a.b", "a.bc/d", 0},
	    {"a.b", "a.b:5000/c", 0},
	    {"a.b:5000", "a.b:5000/c", 8},
	    {"a.b/c", "a.b/c", 5},
	    {"a.b/c", "a.b/c/d", 5},
	    {"a.b/c", "a.b/cd", 0},
	    {"a.b/c", "a.b/c:1.0", 5},
	    {"a.b/c", "a.b/c@sha256:00", 5},
	    {"a.b/c", "a.b", 0},
	    {"a.b/c:1.0", "a.b/c:1.0", 9},
	    {"a.b/c:1.0", "a.b/c:1.0.1", 0},
	    {"a.b/c:1.0", "a.b/c", 0},
	    {"*.b.c", "a.b.c", 5},
	    {"*.b.c", "x.a.b.c/d/e", 5},
	    {"*.b.c", "a.b.c:5000/d", 5},
	    {"*.b.c", "b.c/d", 0},
	    {"*.b.c", "ab.c/d", 0},
	    {"*.b.c", "a.b.c.d/e", 0},
	    {"*.b.c", "x.y/a.b.c", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(rule_match(cases[i].prefix, cases[i].name),
		    cases[i].len);
}

static void containerd(void **state)
{
	static const struct {
		const char *text, *rule;
	} cases[] = {
	    {"server = 'https://registry-1.docker.io'\n"
	     "[host.'http://m1:5000']\ncapabilities = ['pull', 'resolve']\n"
	     "[host.'https://m2/harbor/']\nskip_verify = true\n"
	     "capabilities = ['pull']\n"
	     "[host.'https://m3/v2/proxy/hub']\noverride_path = true\n"
	     "[host.'m4.x/a/v2']\n"
	     "[host.'https://m5']\ncapabilities = ['push']\n"
	     "[host.'https://m6'.header]\nx = 'y'\n",
		"a.b: http://m1:5000| tags digests, "
		"https://m2/harbor| digests insecure, "
		"https://m3|proxy/hub tags digests, "
		"https://m4.x/a| tags digests, https://m6| tags digests, "
		"https://registry-1.docker.io| tags digests\n"},
	    {"skip_verify = true\n",
		"a.b: https://a.b| tags digests insecure\n"},
	    {"capabilities = ['push']\n", "a.b: https://a.b| tags digests\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(rule_release) struct rule rule = {0};
		AUTO_BUF struct buf out = BUF_INIT(1 << 16);
		struct err err = ERR_INIT;

		if (containerd_parse(cases[i].text, strlen(cases[i].text),
			"/c/a.b/hosts.toml", "a.b", &rule, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.msg);
		print_rule(&rule, &out);
		assert_string_equal(buf_str(&out), cases[i].rule);
	}
}

static void containerd_files(void **state)
{
	static const char text[] =
	    "[host.a]\nca = 'ca.crt'\nclient = 'both.pem'\n"
	    "[host.b]\nca = ['/x/1.crt', '2.crt']\nclient = ['c.pem']\n"
	    "[host.c]\nclient = [['c.cert', '/k.key'], ['other', 'pair']]\n";
	CLEANUP(rule_release) struct rule rule = {0};
	const struct endpoint_trust *trust;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(containerd_parse(text, strlen(text), "/c/h/hosts.toml",
			     "h", &rule, &err),
	    0);
	assert_int_equal(rule.mirror_count, 3);
	trust = &rule.mirrors[0].trust;
	assert_string_equal(trust->ca_files[0], "/c/h/ca.crt");
	assert_null(trust->ca_files[1]);
	assert_string_equal(trust->cert_file, "/c/h/both.pem");
	assert_string_equal(trust->key_file, "/c/h/both.pem");
	trust = &rule.mirrors[1].trust;
	assert_string_equal(trust->ca_files[0], "/x/1.crt");
	assert_string_equal(trust->ca_files[1], "/c/h/2.crt");
	assert_string_equal(trust->key_file, "/c/h/c.pem");
	trust = &rule.mirrors[2].trust;
	assert_string_equal(trust->cert_file, "/c/h/c.cert");
	assert_string_equal(trust->key_file, "/k.key");
}

static void containerd_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
	    {"server = 1", "line 1: \"server\" is not a string"},
	    {"\nhost = 1", "line 2: \"host\" is not a table"},
	    {"[host]\na = 1", "line 2: \"a\" is no table"},
	    {"[host.'https://']", "line 1: \"https://\": it is no url"},
	    {"[host.'https://u:p@h']", "a user or a password"},
	    {"[host.a]\ncapabilities = ['pul']", "line 2: the capability"},
	    {"[host.a]\nca = [1]", "line 2: what is in \"ca\""},
	    {"[host.a]\nclient = [['x']]", "line 2: \"client\" is not a file"},
	    {"[host.'a/b']\noverride_path = true", "a path without /v2"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(rule_release) struct rule rule = {0};
		struct err err = ERR_INIT;

		if (containerd_parse(cases[i].text, strlen(cases[i].text),
			"/c/h/hosts.toml", "h", &rule, &err) != -EINVAL)
			fail_msg("it is taken: %s", cases[i].text);
		if (strncmp(err.msg, "/c/h/hosts.toml: line ", 22) != 0 ||
		    !strstr(err.msg, cases[i].says))
			fail_msg("%s: %s", cases[i].text, err.msg);
	}
}

static int parse_docker(const char *text, struct rule *hub,
    struct insecure *insecure, struct err *err)
{
	return docker_parse(text, strlen(text), "/d.json", hub, insecure, err);
}

static void docker(void **state)
{
	static const char text[] =
	    "{\"registry-mirrors\": [\"https://m1.x/\", \"http://m2:5000\"],"
	    "\"insecure-registries\": [\"i.x:5000\", \"10.1.0.0/16\","
	    " \"2001:db8::/33\", \"0.0.0.0/0x\"], \"debug\": true}";
	static const struct {
		const char *host;
		bool insecure;
	} cases[] = {
	    {"i.x:5000", true},
	    {"I.X:5000", true},
	    {"i.x", false},
	    {"10.1.2.3", true},
	    {"10.1.2.3:5000", true},
	    {"10.2.2.3", false},
	    {"[2001:db8::1]:5000", true},
	    {"[2001:db8:8000::1]", false},
	    {"lan.x:5000", true},
	    {"both.x", false},
	    {"unknown.x", false},
	};
	static const char hosts[] = "10.1.1.1 lan.x both.x\n10.2.1.1 both.x\n";
	CLEANUP(rule_release) struct rule hub = {0};
	CLEANUP(insecure_release) struct insecure insecure = {0};
	AUTO_BUF struct buf out = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(parse_docker(text, &hub, &insecure, &err), 0);
	print_rule(&hub, &out);
	assert_string_equal(buf_str(&out),
	    "docker.io: https://m1.x| tags digests, "
	    "http://m2:5000| tags digests, =| tags digests\n");
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(insecure_has(&insecure, hosts, cases[i].host),
		    cases[i].insecure);
}

static void docker_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
	    {"{\n\"x\": }", "/d.json: line 2: it is not JSON"},
	    {"[]", "/d.json: it is not a JSON object"},
	    {"{\"registry-mirrors\": \"x\"}", "is not an array"},
	    {"{\"insecure-registries\": [1]}", "what is not a string"},
	    {"{\"registry-mirrors\": [\"m.x\"]}",
		"registry-mirrors: \"m.x\": it has no scheme"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		CLEANUP(rule_release) struct rule hub = {0};
		CLEANUP(insecure_release) struct insecure insecure = {0};
		struct err err = ERR_INIT;

		assert_int_equal(parse_docker(cases[i].text, &hub, &insecure,
				     &err),
		    -EINVAL);
		assert_non_null(strstr(err.msg, cases[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(containers),
	    cmocka_unit_test(containers_refused),
	    cmocka_unit_test(prefixes),
	    cmocka_unit_test(containerd),
	    cmocka_unit_test(containerd_files),
	    cmocka_unit_test(containerd_refused),
	    cmocka_unit_test(docker),
	    cmocka_unit_test(docker_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
