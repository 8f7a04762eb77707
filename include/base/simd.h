/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After calls of ISA-L. Its checksums fill wide vector registers and do not
 * clear them. Until somebody does, each instruction that writes the lower half
 * of one keeps its upper half, and so waits for what wrote it before: code that
 * copies what is not in the cache takes several times as long, in the same
 * thread, for good.
 */
#ifndef BASE_SIMD_H
#define BASE_SIMD_H

#if defined(__x86_64__)
__attribute__((target("avx"))) static inline void simd_clear_avx(void)
{
	__builtin_ia32_vzeroupper();
}

/* To be called after each function of ISA-L. */
static inline void simd_clear(void)
{
	if (__builtin_cpu_supports("avx"))
		simd_clear_avx();
}
#else
static inline void simd_clear(void)
{
}
#endif

#endif
