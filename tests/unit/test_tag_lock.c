/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of one tag come one after the other. */
#include <errno.h>

#include "base/task.h"
#include "base/turn.h"
#include "edit/changing.h"
#include "images_fixture.h"

static bool answer(struct peer *peer, const char *head, void *arg)
{
	(void)head;
	(void)arg;
	return peer_reply(peer, 200, "", "{}");
}

/* Takes the lock, interrupted where it would have to wait. */
static int lock_at_once(struct images *images, const char *tag, char **lock,
    struct err *err)
{
	struct task task;
	int r;

	task_begin(&task);
	task_interrupt(&task);
	r = tag_lock(images, "app", tag, lock, err);
	task_end(&task);
	return r;
}

static void one_changes_a_tag_at_a_time(void **state)
{
	struct images_fixture f;
	struct err err = ERR_INIT;
	char *first = NULL, *second = NULL, *other = NULL;

	(void)state;
	images_fixture_open(&f, answer, NULL, 0);
	assert_int_equal(lock_at_once(f.images, "1.0", &first, &err), 0);
	assert_int_equal(lock_at_once(f.images, "1.0", &second, &err), -EINTR);
	assert_string_equal(err.msg,
	    "interrupted while waiting for another change of app:1.0");
	assert_null(second);
	assert_int_equal(lock_at_once(f.images, "2.0", &other, &err), 0);
	tag_unlock(f.images, first);
	tag_unlock(f.images, other);
	tag_unlock(f.images, second);
	assert_int_equal(lock_at_once(f.images, "1.0", &second, &err), 0);
	tag_unlock(f.images, second);
	images_fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_changes_a_tag_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
