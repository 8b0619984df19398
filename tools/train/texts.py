"""Sentences nobody wrote (grammar and word lists, numbers, times, spelling, talk, odd words) and WordNet's examples of
how words are used.
"""

import re
from pathlib import Path

WORDNET = Path("/usr/share/wordnet")  # package wordnet-base
EXAMPLE = re.compile(r"[A-Za-z][A-Za-z' ,;:-]*[.!?]?")
EXAMPLES = 0.85  # share of sentences, where there are any
LONG_ENOUGH = 6  # words; a shorter example is followed by another

ONES = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen").split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
MONTHS = ("January February March April May June July August September October November "
          "December").split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()

LISTS = {
    "thing": """book table window river engine letter bridge garden paper camera market hospital
        kitchen lecture question answer experiment theory equation computer keyboard screen microphone
        network program sentence language picture story village station ticket journey mountain forest
        island harbour weather storm winter summer morning evening breakfast dinner coffee bread cheese
        apple orange potato chicken doctor nurse teacher student farmer engineer lawyer neighbour friend
        brother sister mother father daughter child family company office meeting manager budget price
        salary contract election government council parliament country city street corner building roof
        door floor ceiling lamp chair bottle glass knife spoon plate jacket shirt shoe hat ring watch
        clock phone message email password song concert guitar piano film theatre museum painting horse
        dog cat bird fish tree flower leaf stone sand ocean wave boat ship plane train bus car bicycle
        wheel road map plan idea reason problem mistake secret dream law machine energy electron cell
        protein virus planet star orbit gravity temperature pressure volume surface pattern signal
        noise memory attention habit culture history century war peace treaty king queen soldier""",
    "many": """people children students books ideas questions results samples numbers rules letters
        machines countries cities houses birds trees words voices hours years miles friends
        measurements members teams players games songs pictures reports changes errors""",
    "quality": """old new small large quiet loud bright dark heavy light simple difficult strange
        familiar early late empty full broken clean dirty cheap expensive famous local foreign public
        private careful honest gentle brave lazy nervous proud serious silent sudden steady narrow wide
        warm cold dry wet sharp soft smooth rough red green blue yellow white black grey brown""",
    "how": """slowly quickly quietly carefully again together alone already often never always
        sometimes yesterday tomorrow today soon later everywhere upstairs outside easily exactly""",
    "did": """saw found lost bought sold carried opened closed painted repaired measured described
        remembered forgot followed watched heard finished started changed moved touched needed wanted
        liked hated chose used made built broke cut drew wrote read sent received kept showed gave
        explained discussed ignored noticed mentioned counted compared collected tested cleaned""",
    "do": """see find lose buy sell carry open close paint repair measure describe remember forget
        follow watch hear finish start change move touch need want use make build break cut draw write
        read send keep show explain discuss ignore notice mention count compare collect test clean""",
    "went": """went came walked ran drove travelled returned sailed climbed stayed waited lived worked
        slept sat stood played moved hurried wandered""",
    "where": """near under behind beside above across inside outside towards around over through past
        against between""",
    "name": """Anna James Maria Robert Linda Ahmed Sofia Daniel Laura Peter Elena Thomas Julia Victor
        Grace Henry Nora Samuel Olivia Martin Clara Oscar Ruth Simon Alice Omar Priya Kenji Ingrid
        Pablo Chen Fatima""",
    "place": """London Paris Chicago Boston Toronto Sydney Cairo Berlin Madrid Tokyo Delhi Oslo Dublin
        Vienna Texas Canada Brazil India Norway Egypt France Japan Kenya Peru Scotland""",
    "who": "I you we they he she it everyone nobody somebody",
    "think": "think believe know hope suppose guess feel",
    "lead": """well so okay actually now look listen honestly anyway right sure maybe alright please
        sorry thanks""",
}
LISTS = {name: words.split() for name, words in LISTS.items()}

PATTERNS = """
the {thing} was {quality} and the {thing} was {quality}
the {quality} {thing} {went} {where} the {thing}
{name} {did} the {quality} {thing} {how}
{name} and {name} {did} a {thing} in {place}
{who} {did} the {thing} {where} the {thing}
most of the {many} {went} {where} the {quality} {thing}
the {many} that {name} {did} were {quality}
there are {number} {many} {where} the {thing}
there is a {quality} {thing} {where} the {thing} in {place}
it was {number} {many} from {place} to {place}
the {thing} of the {thing} depends on the {thing}
in {year} the {thing} was {quality}
{name} was born in {place} on the {ordinal} of {month} {year}
the meeting is on {day} the {ordinal} at {time}
what time does the {thing} {do} it
can you {do} the {thing} for me
could you please {do} that {thing} again
do you {think} the {thing} is {quality}
i {think} we should {do} the {thing} first
i don't {think} they {did} it
{lead} let's {do} the next {thing}
{lead} i was going to {do} it {how}
{lead} that's not what {name} said
why didn't you {do} the {thing} {how}
where did {name} {do} the {thing}
how many {many} are there
we'll need about {number} {many}
she's never {quality} but he's always {quality}
if the {thing} is {quality} then the {many} will change
when {name} {did} the {thing} {who} {went} {how}
this {thing} has {number} {many} and {number} {many}
my number is {digits}
please call me on {digits}
it costs {number} dollars and {number} cents
that's {number} point {digits} percent
my name is {name} that's {spelled}
it is spelled {spelled}
the first letter is {letter} and the last letter is {letter}
turn {number} degrees to the {side} and go {number} miles
the word {odd} comes before the word {odd}
mister {odd} and missus {odd} {went} {how}
{odd} {odd} and {odd}
a {odd} is not a {odd}
{lead}
yes
no
yes i {think} so
no i don't {think} so
thank you very much
how are you today
see you on {day}
nice to meet you {name}
"""
PATTERNS = [line for line in PATTERNS.splitlines() if line]


def number(value):
    if value < 20:
        return ONES[value]
    if value < 100:
        rest = value % 10
        return TENS[value // 10 - 2] + (" " + ONES[rest] if rest else "")
    if value < 1000:
        rest = value % 100
        return ONES[value // 100] + " hundred" + (" and " + number(rest) if rest else "")
    rest = value % 1000
    return number(value // 1000) + " thousand" + (" " + number(rest) if rest else "")


def ordinal(value):
    irregular = {1: "first", 2: "second", 3: "third", 5: "fifth", 8: "eighth", 9: "ninth",
                 12: "twelfth", 20: "twentieth", 30: "thirtieth"}
    if value in irregular:
        return irregular[value]
    if value > 20:
        return TENS[value // 10 - 2] + " " + ordinal(value % 10)
    return ONES[value] + "th"


class Writer:
    """`odd`: words to fill with what no list here has, of any number; `examples`: sentences to take as they are."""

    def __init__(self, rng, odd, examples=()):
        self.rng, self.odd, self.examples = rng, odd, examples

    def one(self, values):
        return values[self.rng.integers(len(values))]

    def below(self, *limits):
        return int(self.rng.integers(0, self.one(limits)))

    def fill(self, match):
        kind = match.group(1)
        if kind in LISTS:
            return self.one(LISTS[kind])
        return getattr(self, "make_" + kind)()

    def make_number(self):
        return number(self.below(20, 100, 1000, 20000))

    def make_ordinal(self):
        return ordinal(1 + self.below(31))

    def make_month(self):
        return self.one(MONTHS)

    def make_day(self):
        return self.one(DAYS)

    def make_year(self):
        century, rest = self.one([18, 19, 19, 20]), self.below(100)
        return f"{number(century)} {'hundred' if rest == 0 else 'oh' if rest < 10 else ''} " \
               f"{number(rest) if rest else ''}"

    def make_time(self):
        minute = self.one(["", "", "fifteen", "thirty", "forty five", "oh five", "twenty"])
        return f"{ONES[1 + self.below(12)]} {minute} {self.one(['', 'in the morning', 'tonight'])}"

    def make_digits(self):
        return " ".join(ONES[self.below(10)] for _ in range(2 + self.below(6)))

    def make_letter(self):
        return chr(ord("a") + self.below(26))

    def make_spelled(self):
        return " ".join(self.one([self.one(LISTS["name"]), self.make_odd()]).replace("'", ""))

    def make_side(self):
        return self.one(["left", "right"])

    def make_odd(self):
        return self.one(self.odd)

    def made_up(self):
        text = re.sub(r"\{(\w+)\}", self.fill, self.one(PATTERNS))
        return " ".join(text.upper().split())

    def sentence(self):
        """As it is spoken: written() makes a table's text of it."""
        if not self.examples or self.rng.random() >= EXAMPLES:
            return self.made_up()
        said = self.one(self.examples)
        return f"{said}; {self.one(self.examples)}" if len(said.split()) < LONG_ENOUGH else said


def examples():
    """WordNet's, 2 to 16 words without figures or acronyms, sorted."""
    found = set()
    for path in sorted(WORDNET.glob("data.*")):
        for line in path.read_text(encoding="latin-1").splitlines():
            found.update(re.findall(r'"([^"]+)"', line.partition("| ")[2]))
    if not found:
        raise SystemExit(f"{WORDNET}: no WordNet there; tools/install train")
    return sorted(text for text in found if EXAMPLE.fullmatch(text) and 2 <= len(text.split()) <= 16
                  and not re.search("[A-Z]{2}", text))


def written(text):
    """Letters, apostrophes and spaces, in capitals, as the tables have them"""
    return " ".join(re.sub("[^A-Z' ]", " ", text.upper()).split())
