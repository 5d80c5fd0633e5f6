# toy.src and toy.trg, 400 lines or $toy_lines: a language of 16 words, each sentence translated word by
# word and turned around.  For scripts that have read lib.sh.
awk -v lines="${toy_lines:-400}" 'BEGIN {
    srand(7); split("ba be bi bo da de di do ga ge gi go ka ke ki ko", a, " ")
    split("um ut os as is es un on an en in am em im ol il", b, " ")
    for (i = 0; i < lines; i++) {
        n = 3 + int(rand() * 5); s = t = ""
        for (j = 0; j < n; j++) { w = 1 + int(rand() * 16); s = s " " a[w]; t = b[w] " " t }
        print substr(s, 2) >"toy.src"; sub(/ $/, "", t); print t >"toy.trg"
    }
}'
