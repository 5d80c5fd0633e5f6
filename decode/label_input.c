/* Several text files as one. */
#include "decode/label_input.h"

#include "base/error.h"

int label_input_next(struct label_input *in, struct error *err)
{
    while (in->open || in->file < in->paths->count) {
        if (!in->open) {
            if (lines_open(&in->lines, in->paths->items[in->file], err) < 0)
                return -1;
            in->lines.utf8 = in->utf8;
            in->open = true;
        }
        int more = lines_next(&in->lines, err);
        in->number += more > 0;
        if (more != 0)
            return more;
        lines_close(&in->lines);
        in->open = false;
        in->file++;
    }
    return 0;
}

void label_input_close(struct label_input *in)
{
    if (in->open)
        lines_close(&in->lines);
    *in = (struct label_input){ 0 };
}
