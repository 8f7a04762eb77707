/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lead of the threads that serve the kernel's requests (loop.h), as far as
 * all that an operation calls has to know of it.
 */
#ifndef FS_LEAD_H
#define FS_LEAD_H

#include <stdbool.h>

/* The calling thread is about to wait, or to work for long: if it leads,
 * another takes the requests from now on. */
void lead_give(void);

/* For the loop. The calling thread leads from now on, until give(arg) is called
 * by lead_give(), or it drops the lead. */
void lead_take(void (*give)(void *arg), void *arg);
void lead_drop(void);
bool lead_is_held(void);

#endif
