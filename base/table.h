#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdio.h>

/* Aligned columns of text for people: the first column to the left, columns of numbers to the
 * right, others to the left; rows may be short, "" is an empty cell.
 *
 *     struct table t = {0};
 *     table_row(&t, "model", "BLEU", NULL);
 *     table_row(&t, "teacher", "35.1", NULL);
 *     table_print(&t, stdout);                  // a rule under the first row
 *     table_release(&t);
 */
struct table {
    char ***rows;
    size_t count, room;
};
void table_row(struct table *t, const char *first, ...) __attribute__((sentinel));
void table_cells(struct table *t, const char *const *cells, size_t count);      /* the same, counted */
void table_print(const struct table *t, FILE *out);
void table_release(struct table *t);

/* Columns that a UTF-8 text takes: its characters. */
int text_columns(const char *text);

#endif
