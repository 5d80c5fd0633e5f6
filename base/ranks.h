#ifndef BASE_RANKS_H
#define BASE_RANKS_H

/* Which process of how many this is, by what mpirun (Open MPI, MPICH) and srun tell those that they
 * start.  Without any of them: 0 of 1. */
struct ranks {
    int rank, count;
};
struct ranks ranks_told(void);

#endif
