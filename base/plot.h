#ifndef BASE_PLOT_H
#define BASE_PLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

/* A plot as inline SVG.  Colours come from the page's classes s0 … s7, one a series, so that the
 * page's light and dark styles apply; each series has a mark of its own shape, too.  Numbers from 8 on
 * have the colours again, with other shapes. */
#define PLOT_COLOURS 8

struct plot_series {
    const char *label;
    int colour;                 /* also the shape of its marks */
    double *x, *y;              /* borrowed; points that are not finite are left out */
    size_t count;
    const char *const *notes;   /* shown when a point is pointed at; NULL: the figures */
    const double *spread;       /* how far a bar reaches up and down from each point; NULL: no bars */
    bool bare;                  /* a thin line without marks, such as a diagonal */
};

struct plot {
    const char *title, *x_label, *y_label;
    bool log_x;
    const struct plot_series *series;
    size_t count;
    const char *const *names;   /* of the places 0 … name_count-1 on the x axis; NULL: numbers */
    size_t name_count;
};

void plot_svg(struct strbuf *out, const struct plot *p);

/* A small sample of the series' line and mark, for a legend. */
void plot_swatch(struct strbuf *out, int colour);

/* Up to 8 round numbers that span low … high; on a logarithmic axis 1, 2, 5, 10 …  Returns how
 * many.  The first and the last lie outside low … high or on them. */
int plot_ticks(double ticks[16], double low, double high, bool logarithmic);

#endif
