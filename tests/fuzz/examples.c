#include "tests/fuzz/fuzz.h"

#include "base/memory.h"
#include "corpora/examples.h"
#include "corpora/task.h"

/* The bytes as examples, and as texts, labels and second texts line by line, of every kind of task. */
int fuzz_examples(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    const struct example_files all[] = { { path }, { path, path, NULL }, { path, path, path } };
    for (int kind = TASK_CLASSIFY; kind <= TASK_TAG; kind++)
        for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
            struct task t = { .name = xstrdup("fuzz"), .kind = kind };
            struct strings lines = { 0 };
            fuzz_use((size_t)task_learn(&t, &all[i], NULL));
            fuzz_use((size_t)examples_read(&lines, &all[i], NULL));
            strings_release(&lines);
            task_release(&t);
        }
    return 0;
}
