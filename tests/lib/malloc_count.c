/* SPDX-License-Identifier: MIT */
/*
 * Counts heap calls of a program, as a library for LD_PRELOAD: the counts are kept in the file that $MALLOC_COUNT
 * names (struct malloc_counts, made by whoever asks), mapped and shared, so that they can be read at any moment
 * of the program's life. Not linked into any program; its state is global because the C library's interface is.
 */
#include "tests/lib/malloc_count.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The C library's own functions behind those replaced here. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *p);

static struct malloc_counts before_mapping;
static struct malloc_counts *counts = &before_mapping;

__attribute__((constructor)) static void open_counts(void)
{
	const char *path = getenv("MALLOC_COUNT");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *p;

	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return;
	counts = p;
	*counts = before_mapping;
	counts->is_loaded = 1;
}

static void count(uint64_t *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size)
{
	count(&counts->n_malloc);
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	count(&counts->n_calloc);
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	count(&counts->n_realloc);
	return __libc_realloc(p, size);
}

void free(void *p)
{
	if (p)
		count(&counts->n_free);
	__libc_free(p);
}

void *memalign(size_t alignment, size_t size)
{
	count(&counts->n_malloc);
	return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
	*p = memalign(alignment, size);
	return *p ? 0 : ENOMEM;
}
