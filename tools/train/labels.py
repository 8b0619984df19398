"""What a head writes: letters, or whole words where a recipe keeps only a few of them."""

BLANK, DELIMITER, UNKNOWN = "<pad>", "|", "<unk>"
SPECIAL = [BLANK, "<s>", "</s>", UNKNOWN, DELIMITER]


class Alphabet:
    """Signs are letters or words; a delimiter follows every word, the last one too, so that a word
    ends when it ends and not when the next one begins."""

    def __init__(self, signs):
        self.tokens = [*SPECIAL, *signs]
        self.label = {token: number for number, token in enumerate(self.tokens)}
        self.blank, self.delimiter = self.label[BLANK], self.label[DELIMITER]

    def __len__(self):
        return len(self.tokens)

    def spell(self, words):
        """The labels of some words: a word's own, or else those of its letters."""
        labels = []
        for word in words:
            signs = [word] if word in self.label else word
            labels += [self.label[sign] for sign in signs] + [self.delimiter]
        return labels

    def read(self, best):
        """The best label of each frame -> text: repeats, blanks and other special ones dropped."""
        signs, last = [], None
        for label in best:
            if label != last and label != self.blank and label > self.label[UNKNOWN]:
                signs.append(" " if label == self.delimiter else self.tokens[label])
            last = label
        return " ".join("".join(signs).split())


LETTERS = Alphabet("ETAONIHSRDLUMWCFGYPBVK'XJQZ")


def of(recipe):
    """What the model of a recipe prints."""
    words = recipe.get("words", {})
    return Alphabet(words["keep"]) if words.get("whole") else LETTERS
