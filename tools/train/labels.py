"""What a head writes: letters, pieces of words, or whole words where a recipe keeps only a few of them."""

BLANK, DELIMITER, UNKNOWN = "<pad>", "|", "<unk>"
SPECIAL = [BLANK, "<s>", "</s>", UNKNOWN, DELIMITER]


class Alphabet:
    """Signs are letters, pieces of words or words; a delimiter follows every word, the last one too, so that a word
    ends when it ends and not when the next one begins."""

    def __init__(self, signs):
        self.tokens = [*SPECIAL, *signs]
        self.label = {token: number for number, token in enumerate(self.tokens)}
        self.blank, self.delimiter = self.label[BLANK], self.label[DELIMITER]

    def __len__(self):
        return len(self.tokens)

    def spell(self, words):
        """The labels of some words: a word's own, or else those of its pieces."""
        labels = []
        for word in words:
            signs = [word] if word in self.label else self.pieces(word)
            labels += [self.label[sign] for sign in signs] + [self.delimiter]
        return labels

    def pieces(self, word):
        """From its letters on, the two neighbours that make the earliest sign become that, while there are such:
        byte pair encoding (Sennrich et al. 2016, arXiv:1508.07909)."""
        pieces, none = list(word), len(self)
        while True:
            made = [self.label.get(one + next, none) for one, next in zip(pieces, pieces[1:])]
            first = min(made, default=none)
            if first == none:
                return pieces
            at = made.index(first)
            pieces[at : at + 2] = [self.tokens[first]]

    def read(self, best):
        """The best label of each frame -> text: repeats, blanks and other special ones dropped."""
        signs, last = [], None
        for label in best:
            if label != last and label != self.blank and label > self.label[UNKNOWN]:
                signs.append(" " if label == self.delimiter else self.tokens[label])
            last = label
        return " ".join("".join(signs).split())


A_TO_Z = "ETAONIHSRDLUMWCFGYPBVK'XJQZ"
LETTERS = Alphabet(A_TO_Z)


def of(recipe):
    """What the model of a recipe prints."""
    words = recipe.get("words", {})
    if words.get("whole"):
        return Alphabet(words["keep"])
    return Alphabet([*A_TO_Z, *words["pieces"]]) if "pieces" in words else LETTERS
