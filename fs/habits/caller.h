/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks for the operation that the calling thread carries out: it is bound
 * to the thread, as its task is (base/task.h).
 */
#ifndef FS_CALLER_H
#define FS_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct caller {
	uid_t uid; /* of the process: new files are its user's */
	gid_t gid;
	pid_t pid; /* of the thread; 0 if it is in another pid namespace */
};

/* A copy; zeros in a thread that carries out none. */
struct caller caller_now(void);

/* Whether the caller belongs to the process of that thread. */
bool caller_is_of(pid_t thread);

/* The caller's process, of which pid may be any thread; 0 if it cannot be
 * known. */
pid_t caller_process(void);

/* Whether that thread has ended; false if that cannot be known. */
bool caller_has_ended(pid_t thread);

/* Whether the caller's program has one of these names, as /proc/PID/comm says;
 * false if that cannot be known. */
bool caller_is_program(const char *const *names, size_t count);

/* Likewise: a cp, which makes a directory and lists the one that it copies
 * after that; others may list it before, or for another purpose. */
bool caller_is_cp(void);
bool caller_is_rsync(void);

/* Whether one of the arguments of the caller's program, after its name, begins
 * with a text, or is it; false if that cannot be known. */
bool caller_has_argument(const char *begin);
bool caller_is_given(const char *argument);

/* For op.c. */
void caller_set(const struct caller *caller);

#endif
