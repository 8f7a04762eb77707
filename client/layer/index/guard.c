/* SPDX-License-Identifier: Apache-2.0 */
/* The handler of SIGBUS. */
#include "guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/lock.h"

/*
 * The handler can take no lock: it reads a list that only grows. A guard that
 * is removed stays in it, and is used again. The handler passes over one whose
 * range is being changed: its own is not, as somebody is reading there.
 */
struct guard {
	atomic_uint changes; /* odd while the range is being changed */
	atomic_uintptr_t start, end;
	atomic_bool used;
	struct guard *next; /* constant */
};

static struct guard *_Atomic guards;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Under lock, but for the handler. */
static struct sigaction before;
static uintptr_t page_size;

/* The end of the range that an address is in; 0: of none. */
static uintptr_t end_of_range(uintptr_t address)
{
	struct guard *guard = atomic_load(&guards);

	for (; guard; guard = guard->next) {
		unsigned changes = atomic_load(&guard->changes);
		uintptr_t start = atomic_load(&guard->start);
		uintptr_t end = atomic_load(&guard->end);

		if (address >= start && address < end && changes % 2 == 0 &&
		    changes == atomic_load(&guard->changes))
			return end;
	}
	return 0;
}

/* Puts zeros where the address is and after it: of a file that was cut, nothing
 * is there, and of one that cannot be read, all is to be made again. A page at
 * a time would make more mappings than the kernel allows. */
static bool put_zeros(uintptr_t address)
{
	uintptr_t start = address & ~(page_size - 1);
	uintptr_t end = end_of_range(address);

	/* Not by libc's function, which a sanitizer takes for a write to what
	 * others read. */
	return end > 0 &&
	       syscall(SYS_mmap, start, end - start, PROT_READ,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != -1;
}

static void handle(int number, siginfo_t *info, void *context)
{
	uintptr_t address = (uintptr_t)info->si_addr;
	bool is_fault = info->si_code > 0; /* else somebody sent it */
	int code = errno;

	(void)context;
	if (!is_fault || !put_zeros(address)) {
		/* The same fault comes again when we return. */
		sigaction(number, &before, NULL);
		if (!is_fault)
			raise(number);
	}
	errno = code;
}

/* A handler that others have put in our place goes on with what is not ours. */
static void handle_faults(void)
{
	struct sigaction action = {.sa_sigaction = handle,
	    .sa_flags = SA_SIGINFO | SA_RESTART};
	struct sigaction now;

	SCOPED_LOCK(&lock);
	sigaction(SIGBUS, NULL, &now);
	if (now.sa_flags & SA_SIGINFO && now.sa_sigaction == handle)
		return;
	before = now;
	page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}

/* One that was removed, or NULL. */
static struct guard *take_unused(void)
{
	struct guard *guard = atomic_load(&guards);

	for (; guard; guard = guard->next) {
		bool expected = false;

		if (atomic_compare_exchange_strong(&guard->used, &expected,
			true))
			return guard;
	}
	return NULL;
}

static struct guard *add_another(void)
{
	struct guard *guard = calloc(1, sizeof(*guard));

	if (!guard)
		return NULL;
	atomic_init(&guard->used, true);
	guard->next = atomic_load(&guards);
	while (!atomic_compare_exchange_weak(&guards, &guard->next, guard))
		;
	return guard;
}

static void set_range(struct guard *guard, uintptr_t start, uintptr_t end)
{
	atomic_fetch_add(&guard->changes, 1);
	atomic_store(&guard->start, start);
	atomic_store(&guard->end, end);
	atomic_fetch_add(&guard->changes, 1);
}

struct guard *guard_add(const void *start, size_t size)
{
	struct guard *guard;

	handle_faults();
	guard = take_unused();
	if (!guard)
		guard = add_another();
	if (!guard)
		return NULL;
	set_range(guard, (uintptr_t)start, (uintptr_t)start + size);
	return guard;
}

void guard_remove(struct guard *guard)
{
	if (!guard)
		return;
	set_range(guard, 0, 0);
	atomic_store(&guard->used, false);
}
