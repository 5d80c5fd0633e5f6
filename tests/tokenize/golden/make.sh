#!/bin/sh
# Makes every file of this folder but itself and text.txt, with Debian 12's package `sentencepiece`
# (0.1.97):  cd tests/tokenize/golden && sh make.sh
# Models: unigram with the usual rules and user-defined symbols; BPE; unigram with byte fallback;
# word; char.  All but the first without rules for characters, which take 240 kB.
set -eu
export LC_ALL=C

train() {
    name=$1; shift
    spm_train --input=text.txt --model_prefix="$name" --minloglevel=2 "$@"
}
train unigram --vocab_size=220 --user_defined_symbols='<sep>,<2de>'
train bpe   --vocab_size=260 --model_type=bpe --normalization_rule_name=identity --character_coverage=0.999 --user_defined_symbols='<sep>,--'
train bytes --vocab_size=420 --byte_fallback=true --normalization_rule_name=identity --character_coverage=0.99 --pad_id=3
train word  --vocab_size=60 --model_type=word --normalization_rule_name=identity
train char  --vocab_size=50 --model_type=char --normalization_rule_name=identity --hard_vocab_limit=false

# Lines that break tokenisers.
{
    cat text.txt
    printf '\n \n   leading and   inner  space  \n\t\ttabs\tand\r\ncarriage return above\n'
    printf 'zero\000byte\000\000s\n\000\n'
    printf 'bad utf-8: \377\376 \300\200 \355\240\200 \364\220\200\200 \342\202 end\n\342\n\360\237\n\200\200\200\n'
    printf 'truncated character at the end \360\237\230\n'
    printf 'controls \001\002\003\033[1m\177 \302\205\302\240 \342\200\213\342\200\215\n'
    printf '\357\273\277byte order mark \342\200\250 line separator\n'
    printf 'full width \357\274\241\357\274\242\357\274\243\357\274\221 ligature \357\254\201 \342\204\242 \302\275\n'
    printf 'combining e\314\201 o\314\210 \341\204\222\341\205\241\341\206\253\n'
    printf '\346\227\245\346\234\254\350\252\236\343\201\256\346\226\207 \320\277\321\200\320\270\320\262\320\265\321\202 \360\237\230\200\360\237\221\250\342\200\215\360\237\221\251\n'
    printf '<unk> <s> </s> <pad> <sep> <2de> <sep><2de>the<sep>man <0x41> <0xE2>\n'
    printf -- '-- --the-- a--b <sep-- <<sep>>\n'
    printf '\342\226\201 the \342\226\201\342\226\201man\342\226\201 \342\226\205 \342\201\207\n'
    printf 'THE MAN IN THE H\303\234TTE 1234567890 !"#$%%&()*+,-./:;<=>?@[\\]^_`{|}~\n'
    awk 'BEGIN { for (i = 0; i < 100; i++) printf "the man %d sees ", i % 7; print "" }'
    awk 'BEGIN { for (i = 0; i < 700; i++) printf "a"; print "" }'
    awk 'BEGIN { for (i = 0; i < 100; i++) printf "\342\202\254\303\244z"; print "" }'
    printf 'no line feed at the end'
} > hard.txt

for name in unigram bpe bytes word char; do
    spm_encode --model=$name.model < hard.txt > $name.pieces
    spm_encode --model=$name.model --output_format=id < hard.txt > $name.ids
    spm_decode --model=$name.model --input_format=id < $name.ids > $name.decoded
    cut -d ' ' -f 1-80 < $name.pieces | spm_decode --model=$name.model > $name.joined
done
