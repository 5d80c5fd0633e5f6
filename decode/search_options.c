/* The options of search, which of them go together, and the numbers that follow from them. */
#include <limits.h>
#include <math.h>

#include "base/error.h"
#include "decode/mbr.h"
#include "decode/search.h"

#define FIELD(member) offsetof(struct search_config, member)
static const char *const penalties[] = { "none", "length", "gnmt", NULL };
static const char *const long_choices[] = { "truncate", "refuse", NULL };
const struct option search_options[] = {
    { "beam", OPTION_INT, FIELD(beam), "5", 1, 1000,
      "hypotheses kept per sentence; 1 is greedy search" },
    { "n-best", OPTION_INT, FIELD(n_best), "1", 1, 1000,
      "hypotheses given per sentence, at most the beam; or samples drawn" },
    { "beam-groups", OPTION_INT, FIELD(groups), "1", 1, 1000,
      "diverse search: the beam in so many groups, each kept off what the ones before it chose" },
    { "diversity", OPTION_FLOAT, FIELD(diversity), "0.5", 0, 100,
      "taken off a token's log-probability for each earlier group that chose it at this step" },
    { "sampling", OPTION_FLAG, FIELD(sampled), "false", 0, 0,
      "draw n-best translations at random by the model's probabilities instead of searching" },
    { "sampling-temperature", OPTION_FLOAT, FIELD(sampling.temperature), "1", 0, 100,
      "divides the scores: less than 1 is surer, more is wilder, 0 is greedy" },
    { "sampling-top-k", OPTION_INT, FIELD(sampling.top_k), "0", 0, 1000,
      "draw from the so many likeliest tokens; 0: all" },
    { "sampling-top-p", OPTION_FLOAT, FIELD(sampling.top_p), "1", 0, 1,
      "draw from the fewest tokens that hold this much probability; 1: all" },
    { "sampling-seed", OPTION_LONG, FIELD(seed), "1", 0, 9e15,
      "what the draws begin from: line i draws the same whatever stands around it" },
    { "mbr", OPTION_CHOICE, FIELD(mbr), "none", 0, 0,
      "minimum Bayes risk: of the n-best or the samples, give what the others agree with most",
      .choices = mbr_names },
    { "length-penalty", OPTION_CHOICE, FIELD(length_penalty), "length", 0, 0,
      "rank by log-probability / penalty: none, length^alpha, gnmt ((5+length)/6)^alpha",
      .choices = penalties },
    { "length-alpha", OPTION_FLOAT, FIELD(alpha), "1", 0, 5,
      "exponent of the length penalty; larger prefers longer output" },
    { "length-reward", OPTION_FLOAT, FIELD(reward), "0", -100, 100,
      "added to the score for every output token; less than 0 prefers shorter output" },
    { "coverage-penalty", OPTION_FLOAT, FIELD(coverage), "0", 0, 100,
      "weight of source tokens that got less attention than one token's worth, in the score" },
    { "repetition-penalty", OPTION_FLOAT, FIELD(repetition), "1", 1, 100,
      "multiplies the log-probability of tokens that the output has already" },
    { "no-repeat-ngram", OPTION_INT, FIELD(no_repeat), "0", 0, 1000,
      "let no so many tokens in a row come twice in an output; 0: they may" },
    { "max-length-factor", OPTION_FLOAT, FIELD(max_length_factor), "3", 0, 1000,
      "at most this many output tokens a source token …" },
    { "max-length-offset", OPTION_INT, FIELD(max_length_offset), "10", 0, 1000000,
      "… plus this many" },
    { "max-length", OPTION_INT, FIELD(max_length), "0", 0, 1000000,
      "output tokens at most, however long the source; 0: any" },
    { "min-length-factor", OPTION_FLOAT, FIELD(min_length_factor), "0", 0, 1000,
      "output tokens a source token before the sentence may end" },
    { "min-length", OPTION_INT, FIELD(min_length), "0", 0, 1000000,
      "output tokens before the sentence may end, however short the source" },
    { "allow-unk", OPTION_FLAG, FIELD(allow_unk), "false", 0, 0,
      "let the output hold the unknown piece, which is written as ⁇" },
    { "shortlist", OPTION_STRING, FIELD(shortlist), NULL, 0, 0,
      "choose among the likely translations of each line's pieces only (coho shortlist)" },
    { "shortlist-best", OPTION_INT, FIELD(shortlist_limits.best), "100", 0, 100000,
      "translations of each source piece, at most" },
    { "shortlist-frequent", OPTION_INT, FIELD(shortlist_limits.frequent), "100", 0, 1000000,
      "most frequent pieces for every line, at most" },
    { "memory", OPTION_SIZE, FIELD(memory), "0", 0, 0,
      "that decoding may take (300M, 4G): batches become smaller to stay within, and lines that would need more "
      "alone count as longer than max-source; 0: any" },
    { "batch-sentences", OPTION_INT, FIELD(batch_sentences), "0", 0, 100000,
      "sentences searched at once by each thread; 0: 256 divided by the beam, at least 16" },
    { "batch-tokens", OPTION_INT, FIELD(batch_tokens), "8192", 1, 100000000,
      "source tokens times beam, or samples, worked on at once by each thread" },
    { "max-source", OPTION_INT, FIELD(max_source), "1000", 1, 1000000,
      "tokens of a line; longer ones are truncated or refused" },
    { "long-lines", OPTION_CHOICE, FIELD(long_lines), "truncate", 0, 0,
      "truncate lines above max-source, telling which, or refuse them", .choices = long_choices },
    { "window", OPTION_INT, FIELD(window), "4096", 1, 1000000,
      "lines read and sorted by length together; output comes a window at a time" },
    { 0 }
};

static int check_sampling(const struct search_config *c, struct error *err)
{
    const struct sampling *s = &c->sampling;
    if (!c->sampled && (s->temperature != 1 || s->top_k || s->top_p != 1))
        return error_set(err, "--sampling-temperature, --sampling-top-k and --sampling-top-p say how "
                         "to draw: give --sampling with them");
    if (c->sampled && c->groups > 1)
        return error_set(err, "--beam-groups is a way to search: it does not go with --sampling");
    if (c->sampled && c->n_best > SAMPLES_MOST)
        return error_set(err, "--n-best %d: a line has %d samples at most", c->n_best, SAMPLES_MOST);
    return 0;
}

static int check_beam(const struct search_config *c, struct error *err)
{
    if (c->n_best > c->beam)
        return error_set(err, "--n-best %d asks for more than --beam %d keeps: raise the beam to %d",
                         c->n_best, c->beam, c->n_best);
    if (c->beam % c->groups)
        return error_set(err, "--beam %d cannot be divided into %d groups of one size (--beam-groups)",
                         c->beam, c->groups);
    return 0;
}

int search_check(const struct search_config *c, struct error *err)
{
    if (check_sampling(c, err) < 0 || (!c->sampled && check_beam(c, err) < 0))
        return -1;
    if (c->max_length && c->min_length > c->max_length)
        return error_set(err, "--min-length %d is more than --max-length %d", c->min_length,
                         c->max_length);
    if (c->mbr && c->n_best < 2)
        return error_set(err, "--mbr chooses among several translations: give --n-best with it, of a "
                         "beam or of --sampling");
    return 0;
}

int search_rows(const struct search_config *config)
{
    return config->sampled ? config->n_best : config->beam;
}

double search_score(const struct search_config *config, double logp, int length)
{
    double reward = config->reward ? (double)config->reward * length : 0;
    if (logp == -INFINITY || config->alpha == 0)
        return logp + reward;
    switch ((enum length_penalty)config->length_penalty) {
    case PENALTY_LENGTH:
        return logp / (config->alpha == 1 ? length : pow(length, config->alpha)) + reward;
    case PENALTY_GNMT:
        return logp / pow((5.0 + length) / 6.0, config->alpha) + reward;
    case PENALTY_NONE:
        break;
    }
    return logp + reward;
}

double search_coverage(const struct search_config *config, const double *cover, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += cover[i] < 1 ? log(cover[i] > 1e-10 ? cover[i] : 1e-10) : 0;
    return (double)config->coverage * sum;
}

int search_limit(const struct search_config *config, int source_tokens)
{
    double limit = (double)config->max_length_factor * source_tokens + config->max_length_offset;
    double most = config->max_length ? config->max_length : INT_MAX / 4;
    return limit < 1 ? 1 : limit > most ? (int)most : (int)limit;
}

int search_least(const struct search_config *config, int source_tokens)
{
    double least = (double)config->min_length_factor * source_tokens;
    return least <= config->min_length ? config->min_length
         : least < INT_MAX / 4 ? (int)least : INT_MAX / 4;
}
