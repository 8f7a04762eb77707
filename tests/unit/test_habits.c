/* SPDX-License-Identifier: Apache-2.0 */
/* What programs have just tried: each process's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "habits/caller.h"
#include "habits/habits.h"
#include "node/mount.h"

enum { MANY = 1000 };

struct world {
	struct mount mount;
	struct node dir, other;
	pid_t child; /* another process, which does nothing */
};

static void be(pid_t pid)
{
	const struct caller caller = {.pid = pid};

	caller_set(&caller);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err err = ERR_INIT;

	assert_non_null(w);
	w->mount.attempts = attempts_new(&err);
	assert_non_null(w->mount.attempts);
	w->dir = (struct node){.mount = &w->mount, .ino = 1};
	w->other = (struct node){.mount = &w->mount, .ino = 2};
	w->child = fork();
	if (w->child == 0) {
		pause();
		_exit(0);
	}
	assert_true(w->child > 0);
	be(getpid());
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	if (w->child) {
		kill(w->child, SIGKILL);
		waitpid(w->child, NULL, 0);
	}
	attempts_free(w->mount.attempts);
	be(0);
	free(w);
	return 0;
}

static void a_note_is_of_its_process(void **state)
{
	struct world *w = *state;

	attempt_note(&w->dir, "a", ATTEMPT_MOVE_INTO);
	assert_true(attempt_is_noted(&w->dir, "a", ATTEMPT_MOVE_INTO));
	assert_false(attempt_is_noted(&w->dir, "a", ATTEMPT_REPLACE));
	assert_false(attempt_is_noted(&w->dir, "b", ATTEMPT_MOVE_INTO));
	assert_false(attempt_is_noted(&w->other, "a", ATTEMPT_MOVE_INTO));
	be(w->child);
	assert_false(attempt_is_noted(&w->dir, "a", ATTEMPT_MOVE_INTO));
	attempt_forget(&w->dir, "a", ATTEMPT_MOVE_INTO);
	be(getpid());
	assert_true(attempt_is_noted(&w->dir, "a", ATTEMPT_MOVE_INTO));
	attempt_forget(&w->dir, "a", ATTEMPT_MOVE_INTO);
	assert_false(attempt_is_noted(&w->dir, "a", ATTEMPT_MOVE_INTO));
}

static void two_processes_note_the_same(void **state)
{
	struct world *w = *state;

	attempt_note(&w->dir, "a", ATTEMPT_MOVE_INTO);
	be(w->child);
	attempt_note(&w->dir, "a", ATTEMPT_MOVE_INTO);
	attempt_forget(&w->dir, "a", ATTEMPT_MOVE_INTO);
	assert_false(attempt_is_noted(&w->dir, "a", ATTEMPT_MOVE_INTO));
	be(getpid());
	assert_true(attempt_is_noted(&w->dir, "a", ATTEMPT_MOVE_INTO));
}

/* However much another one notes. */
static void a_note_stays(void **state)
{
	struct world *w = *state;

	attempt_note(&w->dir, "a", ATTEMPT_MOVE_INTO);
	be(w->child);
	for (int i = 0; i < MANY; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		attempt_note(&w->dir, name, ATTEMPT_MAKE);
		assert_true(attempt_is_noted(&w->dir, name, ATTEMPT_MAKE));
	}
	assert_false(attempt_is_noted(&w->dir, "0", ATTEMPT_MAKE));
	be(getpid());
	assert_true(attempt_is_noted(&w->dir, "a", ATTEMPT_MOVE_INTO));
}

static void the_newest_of_a_kind(void **state)
{
	struct world *w = *state;

	assert_int_equal(attempt_last(&w->mount, ATTEMPT_MAKE), 0);
	attempt_note(&w->dir, "", ATTEMPT_MAKE);
	attempt_note(&w->other, "", ATTEMPT_MAKE);
	attempt_note(&w->dir, "x", ATTEMPT_REPLACE);
	assert_int_equal(attempt_last(&w->mount, ATTEMPT_MAKE), 2);
	be(w->child);
	assert_int_equal(attempt_last(&w->mount, ATTEMPT_MAKE), 0);
}

struct looker {
	struct world *world;
	bool sees;
};

static void *look(void *arg)
{
	struct looker *looker = arg;

	be((pid_t)syscall(SYS_gettid));
	looker->sees =
	    attempt_is_noted(&looker->world->dir, "a", ATTEMPT_MOVE_INTO);
	attempt_forget(&looker->world->dir, "a", ATTEMPT_MOVE_INTO);
	be(0);
	return NULL;
}

static void threads_are_of_one_process(void **state)
{
	struct world *w = *state;
	struct looker looker = {.world = w};
	pthread_t thread;

	attempt_note(&w->dir, "a", ATTEMPT_MOVE_INTO);
	assert_int_equal(pthread_create(&thread, NULL, look, &looker), 0);
	pthread_join(thread, NULL);
	assert_true(looker.sees);
	assert_false(attempt_is_noted(&w->dir, "a", ATTEMPT_MOVE_INTO));
}

/* Another process can have the number next. */
static void what_has_ended_is_forgotten(void **state)
{
	struct world *w = *state;

	be(w->child);
	attempt_note(&w->dir, "a", ATTEMPT_MOVE_INTO);
	kill(w->child, SIGKILL);
	waitpid(w->child, NULL, 0);
	be(getpid());
	attempt_note(&w->dir, "b", ATTEMPT_MOVE_INTO);
	be(w->child);
	assert_false(attempt_is_noted(&w->dir, "a", ATTEMPT_MOVE_INTO));
	w->child = 0;
}

/* As in another pid namespace. */
static void who_is_not_known_notes_nothing(void **state)
{
	struct world *w = *state;

	be(0);
	attempt_note(&w->dir, "a", ATTEMPT_MOVE_INTO);
	assert_false(attempt_is_noted(&w->dir, "a", ATTEMPT_MOVE_INTO));
	assert_int_equal(attempt_last(&w->mount, ATTEMPT_MOVE_INTO), 0);
}

#define HABITS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HABITS_TEST(a_note_is_of_its_process),
	    HABITS_TEST(two_processes_note_the_same),
	    HABITS_TEST(a_note_stays),
	    HABITS_TEST(the_newest_of_a_kind),
	    HABITS_TEST(threads_are_of_one_process),
	    HABITS_TEST(what_has_ended_is_forgotten),
	    HABITS_TEST(who_is_not_known_notes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
