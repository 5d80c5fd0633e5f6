/* Every subcommand, in the order of `coho --help`.  To add one: write cli/cmd_<name>.c with
 * `int cmd_<name>(const struct command *self, int argc, char **argv)` and add a row:
 *
 *     COMMAND(name, "usage after the name", "one line that says what it does")
 */

COMMAND(vocab, "[OPTIONS] -o MODEL FILE [FILE …]", "trains a SentencePiece model, or lists one")
COMMAND(tokenize, "[OPTIONS] -m MODEL [FILE …]", "text to pieces or ids")
COMMAND(detokenize, "[OPTIONS] -m MODEL [FILE …]", "pieces or ids to text")
COMMAND(corpus, "STEP [OPTIONS] …",
        "imports, cleans, splits and counts parallel text; builds stores of ids")
COMMAND(train, "[OPTIONS] -s SRC -t TRG -v SPM -o FOLDER", "trains one model")
COMMAND(distill, "[OPTIONS] RECIPE.yml", "runs a recipe, stage by stage")
COMMAND(report, "RUN", "a run, or a model's training, as one HTML page")
COMMAND(translate, "[OPTIONS] -m MODEL [-i FILE] [-o FILE]", "text to text, a line a line")
COMMAND(label, "[OPTIONS] -m MODEL -i FILE -o FOLDER", "pseudo-labels a corpus; resumable, checked")
COMMAND(score, "[OPTIONS] -m MODEL -s SRC -t TRG", "log-probabilities of given translations")
COMMAND(shortlist, "[OPTIONS] -s SRC -t TRG -v SPM -o FILE",
        "learns which target pieces a source piece may become, for faster decoding")
COMMAND(predict, "[OPTIONS] -m MODEL [--task NAME] [-i FILE] [-o FILE]",
        "labels, tags and numbers for texts, by a model of several tasks")
COMMAND(eval, "[OPTIONS] REF [REF …] [-i HYP …]", "BLEU, chrF and TER, equal to sacreBLEU's; tests of significance, a page")
COMMAND(gap, "[OPTIONS] --teacher MODEL --student MODEL -s SRC -t TRG",
        "what a student does not do as its teacher does, by length and by frequency")
COMMAND(model, "STEP [OPTIONS] …", "tells of a model; averages several")
