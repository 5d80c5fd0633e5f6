/* Line plots as SVG. */
#include "base/plot.h"

#include <math.h>
#include <stdio.h>

#include "base/html.h"

#define WIDTH 520
#define HEIGHT 320
#define LEFT 56
#define RIGHT 16
#define TOP 34
#define BOTTOM 46
#define MOST_TICKS 16

struct axis {
    double low, high;
    bool logarithmic;
    double ticks[MOST_TICKS];
    int tick_count;
};

/* ---- axes ---- */

/* 1, 2 or 5 times a power of ten, at least `least`. */
static double round_step(double least)
{
    double power = pow(10, floor(log10(least)));
    double share = least / power;
    return power * (share <= 1.0000001 ? 1 : share <= 2.0000001 ? 2 : share <= 5.0000001 ? 5 : 10);
}

static int linear_ticks(double *ticks, double low, double high)
{
    double step = round_step((high - low) / 6);
    double first = floor(low / step + 1e-9) * step;
    int count = 0;
    while (count < MOST_TICKS) {
        ticks[count] = first + count * step;
        if (ticks[count++] >= high - step * 1e-9)
            break;
    }
    return count;
}

static int log_ticks(double *ticks, double low, double high)
{
    static const double fine[] = { 1, 2, 5 }, coarse[] = { 1 };
    bool few = high / low < 1000;
    const double *shares = few ? fine : coarse;
    int per_power = few ? 3 : 1, count = 0;
    double all[64], power = pow(10, floor(log10(low)));
    for (int i = 0; i < 64; i++) {
        all[count++] = power * shares[i % per_power];
        if (all[count - 1] >= high * (1 - 1e-9))
            break;
        if (i % per_power == per_power - 1)
            power *= 10;
    }
    int first = 0;
    while (first + 1 < count && all[first + 1] <= low * (1 + 1e-9))
        first++;
    count = count - first < MOST_TICKS ? count - first : MOST_TICKS;
    for (int i = 0; i < count; i++)
        ticks[i] = all[first + i];
    return count;
}

int plot_ticks(double ticks[16], double low, double high, bool logarithmic)
{
    if (logarithmic)
        return log_ticks(ticks, low, high > low * (1 + 1e-9) ? high : low * 10);
    if (high - low < 1e-12 * fmax(1, fabs(low))) {
        double margin = fabs(low) * 0.1;
        low -= margin;
        high += margin > 0 ? margin : 1;        /* counts and shares have nothing below zero */
    }
    return linear_ticks(ticks, low, high);
}

/* Places in the middle of columns of one width. */
static struct axis named_axis(size_t count)
{
    struct axis a = { -0.5, (double)count - 0.5, false, { 0 }, 0 };
    for (; a.tick_count < MOST_TICKS && a.tick_count < (int)count; a.tick_count++)
        a.ticks[a.tick_count] = a.tick_count;
    return a;
}

static double spread_of(const struct plot_series *s, size_t i)
{
    return s->spread && isfinite(s->spread[i]) ? s->spread[i] : 0;
}

static struct axis axis_of(const struct plot *p, bool x)
{
    struct axis a = { INFINITY, -INFINITY, x && p->log_x, { 0 }, 0 };
    for (size_t s = 0; s < p->count; s++)
        for (size_t i = 0; i < p->series[s].count; i++) {
            double value = x ? p->series[s].x[i] : p->series[s].y[i];
            double other = x ? p->series[s].y[i] : p->series[s].x[i];
            if (!isfinite(value) || !isfinite(other) || (a.logarithmic && value <= 0))
                continue;
            double spread = x ? 0 : spread_of(&p->series[s], i);
            a.low = fmin(a.low, value - spread);
            a.high = fmax(a.high, value + spread);
        }
    if (x && p->names)
        return named_axis(p->name_count);
    if (a.low > a.high)
        a.low = a.logarithmic ? 1 : 0, a.high = a.logarithmic ? 10 : 1;
    a.tick_count = plot_ticks(a.ticks, a.low, a.high, a.logarithmic);
    a.low = a.ticks[0];
    a.high = a.ticks[a.tick_count - 1];
    return a;
}

/* 0 … 1 along the axis. */
static double share_of(const struct axis *a, double value)
{
    if (a->logarithmic)
        return log(value / a->low) / log(a->high / a->low);
    return (value - a->low) / (a->high - a->low);
}

static double place_x(const struct axis *a, double value)
{
    return LEFT + share_of(a, value) * (WIDTH - LEFT - RIGHT);
}

static double place_y(const struct axis *a, double value)
{
    return HEIGHT - BOTTOM - share_of(a, value) * (HEIGHT - TOP - BOTTOM);
}

static void add_number(struct strbuf *out, double value)
{
    if (fabs(value) >= 10000)
        strbuf_printf(out, "%.4gk", value / 1000);
    else
        strbuf_printf(out, "%.5g", fabs(value) < 1e-12 ? 0 : value);
}

static void draw_x_axis(struct strbuf *out, const struct axis *a, const char *const *names, const char *label)
{
    for (int i = 0; i < a->tick_count; i++) {
        double x = place_x(a, a->ticks[i]);
        strbuf_printf(out, "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>", x, TOP, x,
                      HEIGHT - BOTTOM);
        strbuf_printf(out, "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", x, HEIGHT - BOTTOM + 16);
        if (names)
            html_text(out, names[i]);
        else
            add_number(out, a->ticks[i]);
        strbuf_puts(out, "</text>");
    }
    strbuf_printf(out, "<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">",
                  (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8);
    html_text(out, label);
    strbuf_puts(out, "</text>\n");
}

static void draw_y_axis(struct strbuf *out, const struct axis *a, const char *label)
{
    for (int i = 0; i < a->tick_count; i++) {
        double y = place_y(a, a->ticks[i]);
        strbuf_printf(out, "<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>", LEFT, y,
                      WIDTH - RIGHT, y);
        strbuf_printf(out, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 6, y + 4);
        add_number(out, a->ticks[i]);
        strbuf_puts(out, "</text>");
    }
    int middle = (TOP + HEIGHT - BOTTOM) / 2;
    strbuf_printf(out, "<text class=\"label\" x=\"14\" y=\"%d\" text-anchor=\"middle\" transform=\"rotate(-90 14 %d)\">",
                  middle, middle);
    html_text(out, label);
    strbuf_puts(out, "</text>\n");
}

/* ---- marks ---- */

/* Colours that come again have other shapes. */
static int shape_of(int colour)
{
    return (colour + colour / PLOT_COLOURS) % 4;
}

static void add_mark(struct strbuf *out, int colour, double x, double y, double r)
{
    switch (shape_of(colour)) {
    case 0:
        strbuf_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"", x, y, r);
        break;
    case 1:
        strbuf_printf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"", x - r, y - r, 2 * r, 2 * r);
        break;
    case 2:
        strbuf_printf(out, "<polygon points=\"%.1f,%.1f %.1f,%.1f %.1f,%.1f\"", x, y - 1.2 * r, x - 1.1 * r,
                      y + 0.9 * r, x + 1.1 * r, y + 0.9 * r);
        break;
    default:
        strbuf_printf(out, "<polygon points=\"%.1f,%.1f %.1f,%.1f %.1f,%.1f %.1f,%.1f\"", x, y - 1.3 * r,
                      x + 1.3 * r, y, x, y + 1.3 * r, x - 1.3 * r, y);
    }
}

static bool drawable(const struct plot *p, const struct plot_series *s, size_t i)
{
    return isfinite(s->x[i]) && isfinite(s->y[i]) && (!p->log_x || s->x[i] > 0);
}

static void draw_line(struct strbuf *out, const struct plot *p, const struct plot_series *s,
                      const struct axis *x, const struct axis *y)
{
    strbuf_printf(out, "<polyline class=\"%s\" points=\"", s->bare ? "line thin" : "line");
    for (size_t i = 0; i < s->count; i++)
        if (drawable(p, s, i))
            strbuf_printf(out, "%.1f,%.1f ", place_x(x, s->x[i]), place_y(y, s->y[i]));
    strbuf_puts(out, "\"/>");
}

static void draw_spread(struct strbuf *out, const struct plot_series *s, size_t i,
                        const struct axis *x, const struct axis *y)
{
    double at = place_x(x, s->x[i]), reach = spread_of(s, i);
    if (reach > 0)
        strbuf_printf(out, "<line class=\"spread\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", at,
                      place_y(y, s->y[i] - reach), at, place_y(y, s->y[i] + reach));
}

static void draw_point(struct strbuf *out, const struct plot_series *s, size_t i,
                       const struct axis *x, const struct axis *y)
{
    add_mark(out, s->colour, place_x(x, s->x[i]), place_y(y, s->y[i]), s->count > 40 ? 2 : 3.5);
    strbuf_puts(out, " class=\"mark\"><title>");
    html_text(out, s->label);
    strbuf_puts(out, ": ");
    if (s->notes)
        html_text(out, s->notes[i]);
    else
        strbuf_printf(out, "%.5g at %.6g", s->y[i], s->x[i]);
    strbuf_puts(out, "</title>");
    static const char *const names[] = { "circle", "rect", "polygon", "polygon" };
    strbuf_printf(out, "</%s>", names[shape_of(s->colour)]);
}

void plot_svg(struct strbuf *out, const struct plot *p)
{
    struct axis x = axis_of(p, true), y = axis_of(p, false);
    strbuf_printf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
                  WIDTH, HEIGHT);
    html_text(out, p->title);
    strbuf_printf(out, "\">\n<text class=\"title\" x=\"%d\" y=\"18\">", LEFT);
    html_text(out, p->title);
    strbuf_puts(out, "</text>\n");
    draw_x_axis(out, &x, p->names, p->x_label);
    draw_y_axis(out, &y, p->y_label);
    for (size_t s = 0; s < p->count; s++) {
        strbuf_printf(out, "<g class=\"s%d\">", p->series[s].colour % PLOT_COLOURS);
        draw_line(out, p, &p->series[s], &x, &y);
        for (size_t i = 0; i < p->series[s].count; i++)
            if (drawable(p, &p->series[s], i) && !p->series[s].bare) {
                draw_spread(out, &p->series[s], i, &x, &y);
                draw_point(out, &p->series[s], i, &x, &y);
            }
        strbuf_puts(out, "</g>\n");
    }
    strbuf_puts(out, "</svg>\n");
}

void plot_swatch(struct strbuf *out, int colour)
{
    strbuf_printf(out, "<svg class=\"swatch\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 28 12\" aria-hidden=\"true\">"
                  "<g class=\"s%d\"><line class=\"line\" x1=\"2\" y1=\"6\" x2=\"26\" y2=\"6\"/>", colour % PLOT_COLOURS);
    add_mark(out, colour, 14, 6, 3.5);
    strbuf_puts(out, " class=\"mark\"/></g></svg>");
}
