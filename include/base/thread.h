/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of our own. A signal that somebody sends is for the thread that waits
 * for it, so the others take none. Those that a thread's own fault raises reach
 * it all the same: blocked, they would end the process past those who handle
 * them, be it us (a page that cannot be read) or a sanitizer that reports them.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/* As pthread_create(), for such a thread: 0, or a positive errno. */
int thread_start(pthread_t *out, const pthread_attr_t *attributes,
    void *(*run)(void *arg), void *arg);

#endif
