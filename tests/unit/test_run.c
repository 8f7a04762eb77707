/* SPDX-License-Identifier: Apache-2.0 */
/* Running programs for their output. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/run.h"
#include "base/task.h"

static int shell(const char *script, const char *input, unsigned seconds,
    struct buf *out, struct err *err)
{
	const char *const argv[] = {"sh", "-c", script, NULL};

	return run(argv, input, seconds, out, err);
}

static void test_input_and_output(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;
	int status;

	(void)state;
	status = shell("cat; cat /dev/stdin; echo lost >&2; exit 3", "hello",
	    30, &out, &err);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_string_equal(buf_str(&out), "hellohello");
}

static void test_no_descriptor_is_inherited(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(1000);
	AUTO_FD int leak = dup(0);
	struct err err = ERR_INIT;

	(void)state;
	assert_true(leak > 2);
	assert_int_equal(shell("for f in 3 4 5 6 7 8 9; do "
			       "[ -e /proc/$$/fd/$f ] && echo $f; done; :",
			     "", 30, &out, &err),
	    0);
	assert_string_equal(buf_str(&out), "");
}

static void test_missing(void **state)
{
	const char *const argv[] = {"no-such-program-anywhere", NULL};
	AUTO_BUF struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(run(argv, "", 30, &out, &err), -ENOENT);
	assert_non_null(strstr(err.msg, argv[0]));
}

static void test_too_much(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(shell("while :; do echo more; done", "", 30, &out,
			     &err),
	    -EFBIG);
}

static void test_too_slow(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(shell("exec sleep 100", "", 0, &out, &err),
	    -ETIMEDOUT);
}

static void test_agent_left_behind(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(shell("sleep 5 & echo done", "", 30, &out, &err), 0);
	assert_string_equal(buf_str(&out), "done\n");
}

static void *interrupt(void *task)
{
	task_interrupt(task);
	return NULL;
}

static void test_interrupted(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;
	struct task task;
	pthread_t thread;

	(void)state;
	task_begin(&task);
	assert_int_equal(pthread_create(&thread, NULL, interrupt, &task), 0);
	assert_int_equal(shell("exec sleep 100", "", 30, &out, &err), -EINTR);
	pthread_join(thread, NULL);
	task_end(&task);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_input_and_output),
	    cmocka_unit_test(test_no_descriptor_is_inherited),
	    cmocka_unit_test(test_missing),
	    cmocka_unit_test(test_too_much),
	    cmocka_unit_test(test_too_slow),
	    cmocka_unit_test(test_agent_left_behind),
	    cmocka_unit_test(test_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
