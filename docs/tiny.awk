# Writes tiny/raw.en and tiny/raw.eo: 4,000 pairs of English and Esperanto sentences, always the
# same ones, which is enough to try every command in seconds.
#
#     awk -f docs/tiny.awk

# 1 … n, from a generator of our own, since each awk has another.
function draw(n) {
    state = (state * 16807) % 2147483647
    return 1 + state % n
}

BEGIN {
    state = 1
    split("red old small good big new young white", A)
    split("ruĝa malnova malgranda bona granda nova juna blanka", a)
    split("dog house bird tree child horse book friend", N)
    split("hundo domo birdo arbo infano ĉevalo libro amiko", n)
    split("sees finds loves hears wants", V)
    split("vidas trovas amas aŭdas volas", v)
    if (system("mkdir -p tiny") != 0)
        exit 1
    for (i = 0; i < 4000; i++) {
        p = draw(8); q = draw(8); r = draw(5); s = draw(8); t = draw(8)
        print "The " A[p] " " N[q] " " V[r] " the " A[s] " " N[t] "." >"tiny/raw.en"
        print "La " a[p] " " n[q] " " v[r] " la " a[s] "n " n[t] "n." >"tiny/raw.eo"
    }
}
