#ifndef BASE_TEAM_H
#define BASE_TEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* Processes that do one piece of work together, on one machine or many: ranks 0 … size-1, started
 * by `mpirun -np N coho …` or by Slurm's srun.  NULL is a team of one, which is what every process
 * is that was not started so, or whose program was built without MPI.
 *
 *     struct team *team;
 *     if (team_join(&team, err) < 0) …
 *     if (team_rank(team) == 0) …                      // what only one may do
 *     team_broadcast(team, 0, block, bytes);           // everyone calls, in the same order
 *     if (team_agree(team, ret, err) < 0) …            // did anyone fail?
 *     team_leave(team);
 *
 * A rank that dies takes the others with it: mpirun and srun see to that.  A signal that comes to one
 * (base/interrupt.h) is one to all of them, at once. */
struct team;

int team_join(struct team **team, struct error *err);
void team_leave(struct team *team);
int team_rank(const struct team *team);
int team_size(const struct team *team);

/* `root`'s bytes to everyone. */
void team_broadcast(struct team *team, int root, void *bytes, size_t length);
/* A text of any length, or NULL: root's own comes back there, a new one on the other ranks. */
char *team_broadcast_text(struct team *team, int root, char *text);
/* Everyone gets the sums, the same bits. */
void team_add(struct team *team, double *values, int count);

/* -1 on every rank where `ret` is negative on any; *err is then that of the lowest such rank, and
 * says which rank that is when it is not 0.  Also a point where all wait for each other.  What has
 * been agreed on before is handed up at once, so failures may pass several of these. */
int team_agree(struct team *team, int ret, struct error *err);
/* Whether the failure of this rank has been agreed on; if not, the others do not know of it. */
bool team_knows(const struct team *team);
/* Ends the others too, without further ado. */
void team_abort(struct team *team);

/* Sums over the ranks that go on beside the computing: started in the same order on all ranks,
 * and carried on by every call of team_sum_test.  One thread at a time.  Values are float, or uint16_t
 * holding bfloat16 that are added as float and rounded at each addition. */
struct team_sum;
struct team_sum *team_sum_start(struct team *team, void *values, size_t count, bool bf16);
bool team_sum_test(struct team_sum *sum);       /* true: done, and freed */
void team_sum_wait(struct team_sum *sum);       /* frees */
/* How bfloat16 is added: sum[i] += x[i].  Comes from above, where the arithmetic is. */
void team_set_bf16_add(void (*add)(uint16_t *sum, const uint16_t *x, size_t count));

#endif
