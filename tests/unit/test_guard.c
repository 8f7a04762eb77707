/* SPDX-License-Identifier: Apache-2.0 */
/* Mapped files that are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "index/guard.h"

enum { PAGES = 8 };

/* A file of 'x' where it is mapped. */
struct file {
	int fd;
	size_t page, size;
	volatile char *data;
};

static struct file map_file(void)
{
	struct file file = {.fd = memfd_create("file", MFD_CLOEXEC)};
	char byte = 'x';

	file.page = (size_t)sysconf(_SC_PAGESIZE);
	file.size = PAGES * file.page;
	assert_int_equal(ftruncate(file.fd, (off_t)file.size), 0);
	for (size_t i = 0; i < file.size; i += file.page)
		assert_int_equal(pwrite(file.fd, &byte, 1, (off_t)i), 1);
	file.data = mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, file.fd, 0);
	assert_ptr_not_equal(file.data, MAP_FAILED);
	return file;
}

static void unmap_file(struct file *file)
{
	munmap((void *)(uintptr_t)file->data, file->size);
	close(file->fd);
}

static void cut(const struct file *file, size_t pages)
{
	assert_int_equal(ftruncate(file->fd, (off_t)(pages * file->page)), 0);
}

/* How many mappings the file's range consists of. */
static unsigned mappings_between(const struct file *file)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	const uintptr_t first = (uintptr_t)file->data;
	uintptr_t start, end;
	unsigned count = 0;
	char rest[512];

	assert_non_null(maps);
	while (fscanf(maps, "%" SCNxPTR "-%" SCNxPTR "%511[^\n]", &start, &end,
		   rest) == 3)
		count += start < first + file->size && end > first;
	fclose(maps);
	return count;
}

static void what_is_cut_off_is_zeros(void **state)
{
	struct file file = map_file();
	struct guard *guard =
	    guard_add((const void *)(uintptr_t)file.data, file.size);

	(void)state;
	assert_non_null(guard);
	for (size_t left = PAGES; left-- > 0;) {
		cut(&file, left);
		for (size_t i = 0; i < PAGES; i++)
			assert_int_equal(file.data[i * file.page],
			    i < left ? 'x' : 0);
	}
	/* One mapping, however many pages were touched. */
	assert_true(mappings_between(&file) <= 2);
	guard_remove(guard);
	unmap_file(&file);
}

static void *read_all(void *arg)
{
	const struct file *file = arg;

	for (size_t i = 0; i < file->size; i += file->page)
		assert_int_equal(file->data[i], 0);
	return NULL;
}

static void threads_meet_at_the_same_pages(void **state)
{
	enum { THREADS = 8 };
	struct file file = map_file();
	struct guard *guard =
	    guard_add((const void *)(uintptr_t)file.data, file.size);
	pthread_t threads[THREADS];

	(void)state;
	cut(&file, 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_all,
				     &file),
		    0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	guard_remove(guard);
	unmap_file(&file);
}

static void read_cut(const struct file *file)
{
	cut(file, 0);
	(void)file->data[0];
}

static void send_signal(const struct file *file)
{
	(void)file;
	raise(SIGBUS);
}

/* Whether a process ends of it. */
static bool ends(void (*act)(const struct file *file), const struct file *file)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		/* What a sanitizer says of it is not for the tests' output. */
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		act(file);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void others_end_as_before(void **state)
{
	struct file file = map_file(), other = map_file();
	struct guard *guard;

	(void)state;
	/* Which cmocka has changed. */
	signal(SIGBUS, SIG_DFL);
	guard = guard_add((const void *)(uintptr_t)file.data, file.size);
	assert_true(ends(read_cut, &other));
	assert_true(ends(send_signal, &other));
	assert_false(ends(read_cut, &file));
	guard_remove(guard);
	assert_true(ends(read_cut, &file));
	/* What was removed is used again, for another range. */
	assert_ptr_equal(guard_add((const void *)(uintptr_t)other.data,
			     other.size),
	    guard);
	assert_false(ends(read_cut, &other));
	assert_true(ends(read_cut, &file));
	guard_remove(guard);
	unmap_file(&file);
	unmap_file(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_cut_off_is_zeros),
	    cmocka_unit_test(threads_meet_at_the_same_pages),
	    cmocka_unit_test(others_end_as_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
