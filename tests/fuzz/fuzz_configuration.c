/* SPDX-License-Identifier: MIT */
/* Configuration files: whatever one holds, it gives entries or one line that says why not. */
#include "app/configuration.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct utter_error error = {UTTER_OK, ""};
    FILE *file = size > 0 ? fmemopen((void *)data, size, "r") : NULL;
    struct configuration *configuration = configuration_read(file, "config", &error);
    if (file != NULL)
        fclose(file);
    check(configuration != NULL || (error.code != UTTER_OK && error.message[0] != '\0'));
    if (configuration == NULL)
        return 0;
    int line = 0;
    for (size_t i = 0; i < configuration_count(configuration); i++) {
        const struct configuration_entry *entry = configuration_at(configuration, i);
        check(entry->line > line && entry->name[0] != '\0' && strchr(entry->value, '\n') == NULL);
        check(configuration_get(configuration, entry->section, entry->name)->line >= entry->line);
        line = entry->line;
    }
    configuration_free(configuration);
    return 0;
}
