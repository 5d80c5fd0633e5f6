#ifndef TESTS_XML_H
#define TESTS_XML_H

#include <stdbool.h>

#include "tests/test.h"

/* A small check for pages: tags nest, attributes are quoted, text is escaped. */
static const char *check_text(const char *at, const char *from)
{
    for (; *at && *at != '<'; at++) {
        if (*at == '>')
            fail_msg("a bare > at: %.60s", from);
        if (*at == '&' && strncmp(at, "&lt;", 4) && strncmp(at, "&gt;", 4) && strncmp(at, "&amp;", 5)
            && strncmp(at, "&quot;", 6) && strncmp(at, "&#39;", 5))
            fail_msg("a bare & at: %.60s", at);
    }
    return at;
}

/* From behind the tag's name to its end; each attribute is name="value". */
static const char *check_attributes(const char *at, bool *closed)
{
    for (;;) {
        at += strspn(at, " \n");
        *closed = *at == '/';
        if (*at == '/' || *at == '>')
            return at + 1 + *closed;
        size_t name = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-:");
        if (!name || strncmp(at + name, "=\"", 2))
            fail_msg("not an attribute: %.60s", at);
        at += name + 2;
        size_t value = strcspn(at, "\"<");
        if (at[value] != '"')
            fail_msg("an attribute without end: %.60s", at);
        at += value + 1;
    }
}

static void assert_well_formed(const char *page)
{
    static const char head[] = "<!DOCTYPE html>\n";
    char open[64][32];
    int depth = 0;
    assert_memory_equal(page, head, strlen(head));
    for (const char *at = page + strlen(head); *(at = check_text(at, at));) {
        bool end = at[1] == '/', closed = false;
        const char *name = at + 1 + end;
        size_t length = strcspn(name, " />\n");
        if (end) {
            if (!depth-- || strlen(open[depth]) != length || strncmp(open[depth], name, length))
                fail_msg("does not close what is open: %.60s", at);
            at = name + length + 1;
            continue;
        }
        at = check_attributes(name + length, &closed);
        assert_true(depth < 64 && length && length < 32);
        if (!closed)
            snprintf(open[depth++], 32, "%.*s", (int)length, name);
    }
    assert_int_equal(depth, 0);
}

#endif
