/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz entry is one function that takes any bytes and aborts where what came
 * of them breaks a promise. libFuzzer calls it, and so does replay.c.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
