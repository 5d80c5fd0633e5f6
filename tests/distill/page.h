#ifndef TESTS_DISTILL_PAGE_H
#define TESTS_DISTILL_PAGE_H

#include "tests/test.h"
#include "tests/xml.h"

static inline int occurrences(const char *text, const char *what)
{
    int count = 0;
    while ((text = strstr(text, what))) {
        count++;
        text += strlen(what);
    }
    return count;
}

/* A page that needs nothing from elsewhere and shows no figure that is none. */
static inline void assert_stands_alone(const char *page)
{
    assert_well_formed(page);
    assert_int_equal(occurrences(page, "http"), occurrences(page, "http://www.w3.org/2000/svg"));
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "src="));
    assert_null(strstr(page, "@import"));
    assert_null(strstr(page, "nan"));
    assert_null(strstr(page, "inf,"));
}

#endif
