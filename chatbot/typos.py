"""Words one or two slips of the finger apart: a letter more, less, wrong, or two the other way round."""


def tolerance(word: str) -> int:
    """How many slips a word of this length may have and still be meant."""
    return 2 if len(word) >= 9 else 1 if len(word) >= 5 else 0


def near(one: str, other: str, most: int) -> bool:
    """Whether two words are at most so many slips apart."""
    if abs(len(one) - len(other)) > most:
        return False
    if one == other:
        return True
    start = 0
    shortest = min(len(one), len(other))
    while start < shortest and one[start] == other[start]:
        start += 1
    if most == 0:
        return False
    left, right = one[start:], other[start:]
    turned = left[1:2] + left[:1] == right[:2] and len(right) > 1
    return (
        near(left[1:], right[1:], most - 1)
        or near(left[1:], right, most - 1)
        or near(left, right[1:], most - 1)
        or (turned and near(left[2:], right[2:], most - 1))
    )
