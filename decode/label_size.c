/* The disk that a labelling job's soft targets take. */
#include "decode/label_size.h"

#include <sys/statvfs.h>

#include "base/error.h"
#include "base/log.h"
#include "corpora/soft_targets.h"
#include "decode/label.h"
#include "decode/label_plan.h"
#include "seq2seq/teacher.h"

/* By the tokens of a sample of the lines; top-p may take less. */
static double bytes_of(const struct label_job *job, const struct label_plan *plan, int64_t lines)
{
    int vocab = teacher_vocab(job->teacher), wanted = label_soft_entries(job->config), k = wanted < vocab ? wanted : vocab;
    double rows = (double)lines * (plan->target_tokens + 1);
    return soft_targets_bytes((double)lines, rows, rows * k, vocab);
}

/* Below zero: nobody knows. */
static double room_of(const struct label_job *job)
{
    struct statvfs disk;
    return statvfs(job->folder, &disk) ? -1 : (double)disk.f_bavail * (double)disk.f_frsize;
}

int label_size_check(const struct label_job *job, const struct label_plan *plan, int64_t lines, const char *remedy,
                     struct error *err)
{
    char wanted[BYTES_TEXT], left[BYTES_TEXT];
    if (job->config->soft != SOFT_TOP_K)
        return 0;
    double bytes = bytes_of(job, plan, lines), room = room_of(job);
    return room < 0 || bytes <= room ? 0 :
        error_set(err, "the soft targets would take about %s, and '%s' has %s left; %s", bytes_text(wanted, bytes),
                  job->folder, bytes_text(left, room), remedy);
}

void label_size_tell(const struct label_job *job, const struct label_plan *plan, int64_t lines)
{
    char text[BYTES_TEXT], left[BYTES_TEXT];
    bool exact = job->config->soft == SOFT_TOP_K;
    if (!job->config->soft || !lines)
        return;
    double bytes = bytes_of(job, plan, lines), room = room_of(job);
    log_info("soft targets for %lld lines: %s %s", (long long)lines, exact ? "about" : "at most about",
             bytes_text(text, bytes));
    if (!exact && room >= 0 && bytes > room)
        log_warning("'%s' has %s left, which may be too little", job->folder, bytes_text(left, room));
}
