/* Keeps a folder without sources a library. */
typedef int coho_empty;
