/* Pages of help: the scanner of HTML and the cutting of sentences. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "base/strbuf.h"
#include "corpora/html.h"
#include "corpora/sentences.h"

int fuzz_help(const uint8_t *data, size_t size)
{
    struct html page = { .input = { (const char *)data, size } };
    struct html_token token;
    struct strbuf text = { 0 };
    struct text id;
    while (html_next(&page, &token)) {
        if (token.kind == HTML_TEXT)
            html_decode(&text, token.text);
        else
            html_attribute(&token, "id", &id);
    }
    struct text rest = { text.text ? text.text : "", text.length };
    int count = sentence_count(rest), cut = 0;
    for (rest = text_trim(rest); rest.length; cut++)
        sentence_next(&rest);
    if (count != cut)
        abort();
    strbuf_release(&text);
    return 0;
}
