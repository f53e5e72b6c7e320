/* SPDX-License-Identifier: MIT */
/* The virtual EVCC under random frames, commands and time; invariants in tests/lib/module_chaos.c. */
#include "tests/lib/module_chaos.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct module_chaos_result result = {0};

	module_chaos_evcc(data, size, &result);
	return 0;
}
