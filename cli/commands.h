/* Every subcommand, in the order of `coho --help`.  To add one: write cli/cmd_<name>.c with
 * `int cmd_<name>(const struct command *self, int argc, char **argv)` and add a row:
 *
 *     COMMAND(name, "usage after the name", "one line that says what it does")
 */

COMMAND(eval, "[OPTIONS] REF [REF …] [-i HYP …]", "BLEU, chrF and chrF++, equal to sacreBLEU's")
