#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "base/error.h"
#include "distill/kinds.h"
#include "distill/recipe.h"

int fuzz_recipe(const uint8_t *data, size_t size)
{
    struct recipe recipe = { 0 };
    struct strings set = { 0 };
    struct error err = { 0 };
    if (recipe_load(&recipe, fuzz_file(data, size), stage_kinds, &set, &err) == 0)
        recipe_release(&recipe);
    else if (!*err.text)
        abort();
    return 0;
}
