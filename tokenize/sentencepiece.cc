// The project's one C++ file: the SentencePiece library behind tokenize/sentencepiece.h.
#include "tokenize/sentencepiece.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

extern "C" {
#include "base/error.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "tokenize/tokenizer.h"
#include "tokenize/train.h"
}

// Exported by the library, declared in none of its installed headers.
namespace sentencepiece {
namespace logging {
void SetMinLogLevel(int level);
}
}  // namespace sentencepiece

using sentencepiece::SentenceIterator;
using sentencepiece::SentencePieceProcessor;
using sentencepiece::SentencePieceTrainer;
using sentencepiece::util::Status;
using sentencepiece::util::StatusCode;

struct spm {
    SentencePieceProcessor processor;
};

namespace {

// Above the library's highest level: it reports by status, and we say what went wrong.
void silence() { sentencepiece::logging::SetMinLogLevel(4); }

// "src/file.cc(123) [condition] Message" without what only the library's authors can read.
std::string reason(const Status &status)
{
    std::string text = status.message();
    size_t place = text.find(".cc(");
    size_t condition = place == std::string::npos ? place : text.find(") [", place);
    size_t message = text.rfind("] ");
    if (message != std::string::npos && message + 2 < text.size())
        return text.substr(message + 2);
    return condition == std::string::npos ? text : text.substr(condition + 2);
}

// Runs what can fail only for lack of memory, and does then as xmalloc does.
template <typename Work>
void without_exceptions(Work work) noexcept
{
    try {
        work();
    } catch (const std::exception &e) {
        fprintf(stderr, "coho: out of memory in SentencePiece (%s)\n", e.what());
        _exit(1);
    }
}

int refuse_model(struct error *err, const char *path, const char *why)
{
    return error_set(err, "'%s' is not a SentencePiece model, or it is damaged (%s); "
                     "make one with `coho vocab`", path, why);
}

}  // namespace

extern "C" struct spm *spm_load(const void *bytes, size_t length, const char *path,
                                struct error *err)
{
    silence();
    try {
        std::unique_ptr<struct spm> sp(new struct spm);
        Status status = sp->processor.LoadFromSerializedProto(
            std::string_view(static_cast<const char *>(bytes), length));
        if (status.ok())
            return sp.release();
        refuse_model(err, path, reason(status).c_str());
    } catch (const std::exception &e) {
        refuse_model(err, path, e.what());
    }
    return nullptr;
}

extern "C" void spm_free(struct spm *sp) { delete sp; }

extern "C" int32_t spm_bos(const struct spm *sp) { return sp->processor.bos_id(); }
extern "C" int32_t spm_eos(const struct spm *sp) { return sp->processor.eos_id(); }
extern "C" int32_t spm_pad(const struct spm *sp) { return sp->processor.pad_id(); }

extern "C" void spm_encode(const struct spm *sp, struct ids *out, const char *text, size_t length)
{
    without_exceptions([&] {
        std::vector<int> ids;
        sp->processor.Encode(std::string_view(text, length), &ids).IgnoreError();
        out->items = static_cast<int32_t *>(
            array_grow(out->items, &out->room, out->count + ids.size(), sizeof *out->items));
        for (int id : ids)
            out->items[out->count++] = id;
    });
}

extern "C" void spm_encode_pieces(const struct spm *sp, struct strbuf *out,
                                  const char *text, size_t length)
{
    without_exceptions([&] {
        std::vector<std::string> pieces;
        sp->processor.Encode(std::string_view(text, length), &pieces).IgnoreError();
        for (size_t i = 0; i < pieces.size(); i++) {
            if (i)
                strbuf_putc(out, ' ');
            strbuf_add(out, pieces[i].data(), pieces[i].size());
        }
    });
}

extern "C" void spm_decode(const struct spm *sp, struct strbuf *out,
                           const int32_t *ids, size_t count)
{
    without_exceptions([&] {
        const int32_t vocab = sp->processor.GetPieceSize();
        std::vector<int> known;
        std::string text;
        known.reserve(count);
        for (size_t i = 0; i < count; i++)
            if (ids[i] >= 0 && ids[i] < vocab)
                known.push_back(ids[i]);
        sp->processor.Decode(known, &text).IgnoreError();
        strbuf_add(out, text.data(), text.size());
    });
}

extern "C" void spm_decode_pieces(const struct spm *sp, struct strbuf *out,
                                  const char *pieces, size_t length)
{
    without_exceptions([&] {
        std::vector<std::string> list;
        std::string text;
        const char *end = pieces + length;
        for (const char *at = pieces;; at++) {
            const void *space = memchr(at, ' ', static_cast<size_t>(end - at));
            const char *stop = space ? static_cast<const char *>(space) : end;
            list.emplace_back(at, stop);
            at = stop;
            if (at == end)
                break;
        }
        sp->processor.Decode(list, &text).IgnoreError();
        strbuf_add(out, text.data(), text.size());
    });
}

// ---- training ----

namespace {

typedef int (*next_line)(void *arg, const char **text, size_t *length);

// The lines that a C function gives, one after another.
class Lines : public SentenceIterator {
public:
    Lines(next_line next, void *arg) : next_(next), arg_(arg) { Next(); }
    bool done() const override { return more_ <= 0; }
    const std::string &value() const override { return line_; }
    void Next() override
    {
        const char *text = nullptr;
        size_t length = 0;
        more_ = next_(arg_, &text, &length);
        if (more_ > 0)
            line_.assign(text, length);
    }
    Status status() const override
    {
        return more_ < 0 ? Status(StatusCode::kDataLoss, "the lines cannot be read") : Status();
    }
    bool failed() const { return more_ < 0; }

private:
    next_line next_;
    void *arg_;
    int more_ = 0;
    std::string line_;
};

// The library reads lists as comma-separated values, quoted where need be.
std::string comma_separated(const struct strings &list)
{
    std::string text;
    for (size_t i = 0; i < list.count; i++) {
        text += i ? ",\"" : "\"";
        for (const char *c = list.items[i]; *c; c++)
            text += *c == '"' ? std::string("\"\"") : std::string(1, *c);
        text += '"';
    }
    return text;
}

std::string number_text(double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.9g", value);
    return text;
}

std::unordered_map<std::string, std::string> library_options(const struct vocab_config &c)
{
    auto flag = [](bool on) { return std::string(on ? "true" : "false"); };
    std::unordered_map<std::string, std::string> options = {
        {"model_type", vocab_types[c.type]},
        {"vocab_size", std::to_string(c.size)},
        {"character_coverage", number_text(c.character_coverage)},
        {"byte_fallback", flag(c.byte_fallback)},
        {"hard_vocab_limit", flag(!c.soft_limit)},
        {"split_digits", flag(c.split_digits)},
        {"split_by_number", flag(!c.mix_numbers)},
        {"split_by_unicode_script", flag(!c.mix_scripts)},
        {"split_by_whitespace", flag(!c.cross_words)},
        {"normalization_rule_name", vocab_normalizations[c.normalization]},
        {"unk_id", std::to_string(c.unk_id)},
        {"bos_id", std::to_string(c.bos_id)},
        {"eos_id", std::to_string(c.eos_id)},
        {"pad_id", std::to_string(c.pad_id)},
        {"max_sentencepiece_length", std::to_string(c.max_piece_length)},
        {"max_sentence_length", std::to_string(c.max_line_length)},
        {"num_threads", std::to_string(c.threads)},
        {"train_extremely_large_corpus", flag(c.large_corpus)},
        {"minloglevel", "4"},
    };
    if (c.symbols.count)
        options["user_defined_symbols"] = comma_separated(c.symbols);
    if (c.controls.count)
        options["control_symbols"] = comma_separated(c.controls);
    return options;
}

int explain_failure(struct error *err, const std::string &why)
{
    int asked, possible;
    const char *size = strstr(why.c_str(), "Vocabulary size");
    if (size && sscanf(size, "Vocabulary size too high (%d). Please set it to a value <= %d",
                       &asked, &possible) == 2)
        return error_set(err, "a vocabulary of %d is more than this text has pieces for; "
                         "set --size to %d or less, or give --soft-limit", asked, possible);
    if (size && sscanf(size, "Vocabulary size is smaller than required_chars. %d vs %d",
                       &asked, &possible) == 2)
        return error_set(err, "a vocabulary of %d is too small: single characters and reserved "
                         "pieces alone are %d; set --size to %d or more, or lower "
                         "--character-coverage", asked, possible, possible);
    return error_set(err, "SentencePiece cannot train on this text: %s", why.c_str());
}

}  // namespace

extern "C" int spm_train(struct strbuf *model, const struct vocab_config *config,
                         next_line next, void *arg, struct error *err)
{
    silence();
    try {
        Lines lines(next, arg);
        std::string bytes;
        Status status = SentencePieceTrainer::Train(library_options(*config), &lines, &bytes);
        if (lines.failed())
            return -1;          // next() has said why
        if (!status.ok())
            return explain_failure(err, reason(status));
        strbuf_add(model, bytes.data(), bytes.size());
        return 0;
    } catch (const std::exception &e) {
        return error_set(err, "SentencePiece cannot train on this text: %s", e.what());
    }
}
