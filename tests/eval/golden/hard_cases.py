"""Segments that are hard to score: what hypotheses and references can hold.

`cases(count, seed)` gives (hyp, refs) pairs; refs may hold None, a missing reference.  Only
characters of Unicode 14, which every library involved knows, are used.
"""
import random

FRAGMENTS = """
the The THE house Haus Häuser Straße STRASSE naïve façade Ærø Łódź Đà ſ ẞ İstanbul IĞDIR ıI ǅ ǆ Ǆ ŉ ﬁ
ΟΔΟΣ ΑΣ. Σ ΣΑΣ ΌΣΟΣ' Α\u0301Σ aΣ: Σb ᾼ ΐ Ѐлка ПРИВЕТ Мир ԱՐԵՎ ⴀⴁ Ა ა Ꭰ ꭰ
1 12 1,000 1,000.50 3.14 .5 5. 5.. ..5 1.,2 1-2 -1 --1 1-- 10-й 2nd ½ ² ⅫΣ Ⅻ ⓐ ٣٫١٤ ١٢٣ ۱۲۳ १२३ ๑๒ 四 ㊿ ⑩
. , .. ... .,. ,. ; : ! ? - -- --- — – … ' '' ’ ‘ “ ” „ « » ¿ ¡ · ‧ ، ؛ ؟ ۔ । ॥ 、 。 「 」 ！ ？ ， ． ‰ § ¶ † •
( ) [ ] { } < > | \\ / @ # $ % ^ & * + = ~ ` _ € £ ¥ ₹ ₿ © ® ™ ° ± × ÷ ≤ ≠ ∞ → ← ↔ ☃ ☎ ♥ ♪ ^^ ¨ ´ ¸ ˜
&quot; &amp; &lt; &gt; &amp;lt; &amp;quot; &apos; &nbsp; &amp;amp; <skipped> <skip<skipped>ped> <b> </b> &; &am p;
a.b a,b a.1 1.a a-b 1-a a-1 x.,y x..y x...y .x x. ,x x, "x" 'x' (hi) (hi) hi), don't it's o'clock U.S.A. e.g., U.K.-based
http://example.com/a?b=c&d=e foo@bar.org C++ C# .NET a/b 10% $5 5$ #1 100,000,000.- 12:30 12.30h 1/2 50/50
a\u0301 e\u0301\u0323 n\u0303o Z\u0351\u036b\u0343a\u0309lgo q\u0307\u0323 \u0301 \u200d x\u200by soft\u00adhyphen
नमस्ते दुनिया। ภาษาไทย ကမ္ဘာ ខ្មែរ தமிழ் ಕನ್ನಡ తెలుగు മലയാളം সোনার 한국어 안녕하세요 \u1112\u1161\u11ab こんにちは カタカナ ｶﾀｶﾅ 中文 漢字 繁體 𠀀𠀁 𪜀 ㎏ ㍻ ﹏ ＡＢＣ １２３ ａ．ｂ
שלום עולם שָׁלוֹם مرحبا بالعالم \u200fمرحبا\u200f \u202babc\u202c \u2067עברית\u2069 ـــ ﷲ ﷺ
😀 😀😀 👍🏽 👨‍👩‍👧‍👦 🇩🇪 🇩🇪🇫🇷 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️ ☺︎ 1️⃣ 🤷🏻‍♀️ 𝒜 𝟙𝟚 🄰 🅱 𐐀 𐐨 𝄞
\ufeff \ufeffword \ufffd \ue000 \uffff \U000fffff \u0001 \u007f \u0080x \u2060
""".split(" ")

SPACES = [" "] * 30 + ["  ", "\t", "\u00a0", "\u3000", "\u2009", "\u200a", "\u202f", "\u205f",
                       "\u1680", "\u0085", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x1f", "\r",
                       "", "", "", "\u180e", "\u200b"]
TAILS = [""] * 12 + [" ", ".", " .", "\t", "\r", "\u3000", ".\u00a0", ". \u2028", ", ", "1.", "1. "]

BY_HAND = [
    ("", [""]), ("", ["a"]), ("a", [""]), (" ", [" "]), ("\u3000", ["\u00a0"]), ("a", ["a"]),
    (".", ["."]), ("5.", ["5."]), ("1,", ["1,"]), ("a b", ["a b"]), ("a b c", ["a b c d e"]),
    ("the the the the", ["the cat is on the mat", "there is a cat on the mat"]),
    ("a a a a a a", ["a a", "a a a", "a"]), ("x y z w", ["x y", "x y z w v u"]),
    ("\ufeffHello world", ["Hello world"]), ("Hello world\r", ["Hello world"]),
    ("\r", [""]), ("a\rb", ["a b"]), ("a\x00b c", ["a\x00b c", "ab c"]), ("\x00", ["\x00"]),
    ("tab\tin\tit", ["tab in it"]), ("ΟΔΥΣΣΕΥΣ ΣΟΦΟΣ", ["οδυσσευς σοφος"]),
    ("İ", ["i"]), ("i\u0307", ["İ"]), ("ß", ["SS"]), ("ẞ", ["ß"]), ("ﬀ", ["FF"]),
    ("(hi)", ["(hi )"]), ("''", ["'"]), ("-", ["-"]), ("–", ["-"]),
    ("He said: \"1,000.5-2\" & left...", ["He said: &quot;1,000.5-2&quot; &amp; left..."]),
    ("a", [None, "a"]), ("a b c d e", ["a b c", None, "c d e"]), ("w", ["", None]),
    ("\n", ["\n"]), ("re-\nduced", ["reduced"]), ("a\nb", ["a b"]), ("-\n-\n", ["--"]),
]


def line(rng, longest):
    out = []
    for _ in range(rng.randint(0, longest)):
        out.append(rng.choice(FRAGMENTS).strip("\n"))
        out.append(rng.choice(SPACES))
    return "".join(out) + rng.choice(TAILS)


def changed(rng, text):
    """A near copy: characters and words dropped, doubled, swapped, in other case."""
    chars = list(text)
    for _ in range(rng.randint(0, 1 + len(chars) // 12)):
        if not chars:
            break
        at = rng.randrange(len(chars))
        what = rng.randrange(6)
        if what == 0:
            del chars[at]
        elif what == 1:
            chars.insert(at, chars[at])
        elif what == 2:
            other = rng.randrange(len(chars))
            chars[at], chars[other] = chars[other], chars[at]
        elif what == 3:
            chars[at] = chars[at].swapcase()
        elif what == 4:
            chars[at:at] = list(rng.choice(FRAGMENTS).strip("\n"))
        else:
            chars[at:at + rng.randint(1, 8)] = []
    return "".join(chars)


def cases(count, seed=1):
    rng = random.Random(seed)
    out = list(BY_HAND[:count])
    while len(out) < count:
        longest = rng.choice([3, 8, 8, 25, 25, 60])
        base = line(rng, longest)
        refs = [changed(rng, base) if rng.random() < 0.9 else line(rng, longest)
                for _ in range(rng.choice([1, 1, 1, 2, 3]))]
        if len(refs) > 1 and rng.random() < 0.2:
            refs[rng.randrange(len(refs))] = None
        out.append((changed(rng, base), refs))
    return out


# Very long lines: hyp, refs, how often they are repeated.
LONG = [("word 1,000.5 Ünïcode, ", ["word 1,000.5 ünicode, "], 3000), ("中", ["中文"], 20000),
        ("a", ["b"], 50000), ("ab ", ["ab "], 40000)]

# Metric, sacreBLEU's keyword arguments.
SETTINGS = (
    [("bleu", dict(tokenize=t, lowercase=lc, effective_order=True))
     for t in ("13a", "none", "char", "intl", "zh") for lc in (False, True)]
    + [("bleu", dict(tokenize="13a", smooth_method="exp")),
       ("bleu", dict(tokenize="13a", smooth_method="none")),
       ("bleu", dict(tokenize="char", smooth_method="none", effective_order=True)),
       ("bleu", dict(tokenize="13a", smooth_method="floor", effective_order=True)),
       ("bleu", dict(tokenize="13a", smooth_method="floor", smooth_value=0.37)),
       ("bleu", dict(tokenize="13a", smooth_method="add-k")),
       ("bleu", dict(tokenize="intl", smooth_method="add-k", smooth_value=0.25,
                     effective_order=True)),
       ("chrf", dict()),
       ("chrf", dict(lowercase=True)),
       ("chrf", dict(whitespace=True)),
       ("chrf", dict(eps_smoothing=True)),
       ("chrf", dict(char_order=3, beta=3)),
       ("chrf", dict(word_order=2)),
       ("chrf", dict(word_order=2, lowercase=True, eps_smoothing=True)),
       ("chrf", dict(word_order=1, whitespace=True, beta=1)),
       ("chrf", dict(char_order=1, word_order=4))]
    + [("ter", dict(normalized=n, no_punct=p, asian_support=a, case_sensitive=c))
       for n in (False, True) for p in (False, True) for a in (False, True) for c in (False, True)]
)
