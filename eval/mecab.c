/* Japanese and Korean words by MeCab.  The library is opened when it is asked for, so that
 * building and running need it nowhere else; what is used of mecab.h (0.996) is declared here. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "eval/cutters.h"

struct mecab_dictionary {               /* mecab_dictionary_info_t */
    const char *filename, *charset;
    unsigned size;
    int type;
    unsigned lsize, rsize;
    unsigned short version;
    struct mecab_dictionary *next;
};

struct mecab {
    void *library;
    void *(*new)(int argc, char **argv);
    void (*destroy)(void *tagger);
    const char *(*parse)(void *tagger, const char *text, size_t length);
    const char *(*version)(void);
    const struct mecab_dictionary *(*dictionary)(void *tagger);
    char *folder;                       /* of the dictionary */
};

/* The dictionaries that sacreBLEU insists on, and where distributions put them.  Debian's Japanese one
 * has a word more, the era Reiwa: a signature of its own tells. */
static const struct language {
    const char *name, *title, *package;
    struct edition {
        unsigned size;                  /* words; vouches for the dictionary */
        const char *mark;               /* in the signature */
    } editions[2];
    const char *folders[6];
} languages[] = {
    { "ja-mecab", "the IPA dictionary", "mecab-ipadic-utf8", { { 392126, "IPA" }, { 392127, "IPA.Reiwa" } },
      { "/var/lib/mecab/dic/ipadic-utf8", "/usr/lib/mecab/dic/ipadic",
        "/usr/lib/x86_64-linux-gnu/mecab/dic/ipadic", "/usr/local/lib/mecab/dic/ipadic", NULL } },
    { "ko-mecab", "mecab-ko-dic", "mecab-ko-dic", { { 811795, "KO" } },
      { "/var/lib/mecab/dic/mecab-ko-dic", "/usr/lib/mecab/dic/mecab-ko-dic",
        "/usr/lib/x86_64-linux-gnu/mecab/dic/mecab-ko-dic", "/usr/local/lib/mecab/dic/mecab-ko-dic", NULL } },
};

static void free_mecab(void *data)
{
    struct mecab *m = data;
    free(m->folder);
    if (m->library)
        dlclose(m->library);
    free(m);
}

struct worker {
    const struct mecab *mecab;
    void *tagger;
};

static void free_worker(void *data)
{
    struct worker *w = data;
    w->mecab->destroy(w->tagger);
    free(w);
}

static const char *find_folder(const struct language *l)
{
    for (size_t i = 0; l->folders[i]; i++)
        if (file_exists(l->folders[i]))
            return l->folders[i];
    return NULL;
}

static int bind(void *function, struct mecab *m, const char *name, struct error *err)
{
    void *found = dlsym(m->library, name);
    if (!found)
        return error_set(err, "MeCab's library has no function %s: %s", name, dlerror());
    memcpy(function, &found, sizeof found);
    return 0;
}

static void *new_tagger(const struct mecab *m)
{
    char words[][16] = { "mecab", "-r", "/dev/null", "-Owakati", "-d" };
    char *argv[] = { words[0], words[1], words[2], words[3], words[4], m->folder, NULL };
    return m->new(ARRAY_COUNT(argv) - 1, argv);
}

static int load_library(struct mecab *m, const char *path, struct error *err)
{
    m->library = dlopen(path ? path : "libmecab.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!m->library)
        return error_set(err, "cannot load MeCab's library (%s); on Debian: apt-get install libmecab2, or "
                         "name it by --mecab-library", dlerror());
    return bind(&m->new, m, "mecab_new", err) < 0 || bind(&m->destroy, m, "mecab_destroy", err) < 0
            || bind(&m->parse, m, "mecab_sparse_tostr2", err) < 0
            || bind(&m->version, m, "mecab_version", err) < 0
            || bind(&m->dictionary, m, "mecab_dictionary_info", err) < 0 ? -1 : 0;
}

/* Makes a tagger for a look at its dictionary, which must be one of the language's editions. */
static int check_dictionary(const char **mark, const struct mecab *m, const struct language *l, const char *folder,
                            struct error *err)
{
    void *tagger = new_tagger(m);
    if (!tagger)
        return error_set(err, "MeCab cannot use the dictionary %s", folder);
    const struct mecab_dictionary *d = m->dictionary(tagger);
    unsigned size = d && !d->next ? d->size : 0;
    *mark = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(l->editions); i++)
        if (size && size == l->editions[i].size)
            *mark = l->editions[i].mark;
    m->destroy(tagger);
    if (!*mark)
        return error_set(err, "%s is not %s that sacreBLEU's -tok %s stands for: it has %u words instead "
                         "of %u", folder, l->title, l->name, size, l->editions[0].size);
    if (*mark != l->editions[0].mark)
        log_warning("%s has %u words where sacreBLEU's has %u (tok:…-%s); figures may differ in lines with those",
                    folder, size, l->editions[0].size, *mark);
    return 0;
}

int mecab_open(struct cutter_model **model, const char *name, const struct cutter_files *files,
               struct error *err)
{
    const struct language *l = &languages[strcmp(name, "ja-mecab") ? 1 : 0];
    const char *mark = NULL, *folder = files->mecab_dictionary ? files->mecab_dictionary : find_folder(l);
    struct mecab *m = xcalloc(1, sizeof *m);

    if (!folder)
        error_set(err, "-tok %s needs %s; install %s, or name its folder by --mecab-dictionary", name,
                  l->title, l->package);
    m->folder = xstrdup(folder ? folder : "");
    if (!folder || load_library(m, files->mecab_library, err) < 0
        || check_dictionary(&mark, m, l, folder, err) < 0) {
        free_mecab(m);
        return -1;
    }
    *model = xcalloc(1, sizeof **model);
    **model = (struct cutter_model){ xasprintf("%s-%s-%s", name, m->version(), mark), m, free_worker,
                                     free_mecab };
    return 0;
}

/* A tagger is for one thread. */
static struct worker *worker_of(struct tokens *tokens)
{
    if (!tokens->worker) {
        struct worker *w = xcalloc(1, sizeof *w);
        w->mecab = tokens->model->data;
        w->tagger = new_tagger(w->mecab);
        if (!w->tagger)
            xmalloc(SIZE_MAX);          /* it was made before: only memory can be lacking */
        tokens->worker = w;
    }
    return tokens->worker;
}

void mecab_cut(struct tokens *tokens, struct text t)
{
    struct worker *w = worker_of(tokens);
    t = text_strip(t);
    strbuf_reset(&tokens->clean);
    strbuf_add(&tokens->clean, t.bytes, t.length);
    const char *words = w->mecab->parse(w->tagger, tokens->clean.text, t.length);
    tokens_split(tokens, text_of(words ? words : tokens->clean.text));
}
