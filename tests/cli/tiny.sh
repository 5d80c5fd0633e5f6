# A text of 60 lines, its "translation", and the options to train on them in no time: the first ones
# of a command, since the last to name an option counts.  For scripts that have read lib.sh.
#
#     expect 0 "$coho" train $tiny -o model

bpe=$here/../tokenize/golden/bpe.model
seq 1 60 | sed 's/.*/the cat & sees a house/' >source.txt
seq 1 60 | sed 's/.*/die Katze & sieht ein Haus/' >target.txt
cp "$bpe" tiny.spm
tiny="-s source.txt -t target.txt -v tiny.spm --dim 16 --ffn 32 --heads 2 --encoder-layers 1"
tiny="$tiny --decoder-layers 1 --threads 1 --batch-tokens 300 --max-updates 2"
