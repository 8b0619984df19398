/* SPDX-License-Identifier: MIT */
/* A safetensors file in memory: what is accepted must be consistent, and readable throughout. */
#include "model/safetensors.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static unsigned sum; /* so that no read is optimised away */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct safetensors file;
    struct utter_error error = {0};
    if (safetensors_open(&file, bytes, size, "fuzz", &error) != UTTER_OK) {
        require(error.code < 0 && error.message[0] && !strchr(error.message, '\n'));
        require(!file.tensors && !file.header);
        return 0;
    }
    uint64_t covered = 0;
    for (size_t i = 0; i < file.count; i++) {
        const struct safetensors_tensor *tensor = &file.tensors[i];
        require(safetensors_find(&file, tensor->name) == tensor);
        require(tensor->begin <= tensor->end && tensor->end <= file.data_size);
        for (uint64_t j = tensor->begin; j < tensor->end; j++)
            sum += file.data[j];
        covered += tensor->end - tensor->begin;
    }
    require(covered == file.data_size);
    safetensors_close(&file);
    return 0;
}
