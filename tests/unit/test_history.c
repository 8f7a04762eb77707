/* SPDX-License-Identifier: Apache-2.0 */
/* What builders wrote into the history of an image, as people read it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "oci/history.h"

static const struct {
	const char *created_by, *command;
	bool is_instruction;
} commands[] = {
    /* docker's first builder, buildah's. */
    {"/bin/sh -c #(nop) ADD file:0a1b in / ", "ADD file:0a1b in / ", true},
    {"/bin/sh -c #(nop)  CMD [\"bash\"]", "CMD [\"bash\"]", true},
    {"/bin/sh -c apt-get update     && apt-get upgrade",
	"RUN apt-get update     && apt-get upgrade", true},
    {"|2 A=b C=d e /bin/sh -c make", "RUN make", true},
    {"|0 /bin/sh -c echo '/bin/sh -c x'", "RUN echo '/bin/sh -c x'", true},
    {"cmd /S /C #(nop) ENV A=b", "ENV A=b", true},
    {"cmd /S /C dir", "RUN dir", true},
    /* BuildKit's. */
    {"RUN /bin/sh -c make # buildkit", "RUN make", true},
    {"RUN |1 A=b /bin/sh -c make # buildkit", "RUN make", true},
    {"RUN /bin/sh -c #(nop) is a comment # buildkit", "RUN #(nop) is a comment",
	true},
    {"RUN /bin/bash -o pipefail -c make # buildkit",
	"RUN /bin/bash -o pipefail -c make", true},
    {"COPY . /app # buildkit", "COPY . /app", true},
    {"ENV A=b", "ENV A=b", true},
    /* kaniko's, jib's, bazel's, podman's commit. */
    {"RUN make", "RUN make", true},
    {"jib-maven-plugin:3.4.0", "jib-maven-plugin:3.4.0", false},
    {"bazel build ...", "bazel build ...", false},
    {"/bin/bash", "/bin/bash", false},
    /* What only begins like one. */
    {" # buildkit", " # buildkit", false},
    {"|", "|", false},
    {"|1 A=b", "|1 A=b", false},
    {"/bin/sh -c ", "RUN ", true},
    {"RUNNER x", "RUNNER x", false},
    {"RUN", "RUN", false},
};

static void frames_are_taken_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		/* So that a sanitizer sees who reads past its end. */
		AUTO_FREE char *text = strdup(commands[i].created_by);
		AUTO_FREE char *command = history_command(text);

		assert_string_equal(command, commands[i].command);
		assert_int_equal(history_is_instruction(command),
		    commands[i].is_instruction);
	}
}

static struct history *parse(const char *text)
{
	struct history *history = NULL;
	struct err err = ERR_INIT;

	if (history_parse(text, strlen(text), &history, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return history;
}

static void steps_are_read(void **state)
{
	CLEANUP(history_free_p)
	struct history *history =
	    parse("{\"history\":["
		  "{\"created\":\"1970-01-01T00:00:01Z\",\"author\":\"me\","
		  "\"created_by\":\"/bin/sh -c make\",\"comment\":\"c\"},"
		  "{\"created\":\"yesterday\",\"empty_layer\":true},"
		  "{\"comment\":\"store paths: ['/nix/store/x']\"}]}");
	const struct history_step *steps = history->steps;

	(void)state;
	assert_int_equal(history->count, 3);
	assert_int_equal(history->layers, 2);
	assert_true(steps[0].has_created);
	assert_int_equal(steps[0].created, 1);
	assert_string_equal(steps[0].author, "me");
	assert_string_equal(steps[0].created_by, "/bin/sh -c make");
	assert_string_equal(steps[0].comment, "c");
	assert_string_equal(steps[0].command, "RUN make");
	assert_false(steps[0].is_empty);
	assert_false(steps[1].has_created);
	assert_true(steps[1].is_empty);
	assert_string_equal(steps[1].command, "");
	assert_string_equal(steps[2].command, "store paths: ['/nix/store/x']");
}

static void none_is_no_steps(void **state)
{
	static const char *const texts[] = {"{}", "{\"history\":null}",
	    "{\"history\":[]}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		CLEANUP(history_free_p)
		struct history *history = parse(texts[i]);

		assert_int_equal(history->count, 0);
	}
}

static void what_is_no_history_is_refused(void **state)
{
	static const char *const texts[] = {"", "[]", "{\"history\":{}}",
	    "{\"history\":[1]}", "{\"history\":[{\"created_by\":1}]}",
	    "{\"history\":[{\"created\":1}]}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct history *history = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(history_parse(texts[i], strlen(texts[i]),
				     &history, &err),
		    -EINVAL);
		assert_null(history);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(frames_are_taken_off),
	    cmocka_unit_test(steps_are_read),
	    cmocka_unit_test(none_is_no_steps),
	    cmocka_unit_test(what_is_no_history_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
