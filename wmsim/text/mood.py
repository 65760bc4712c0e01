"""Mood: whether a sentence wishes for something, asks for information, or refuses; told by its grammar, not its topic.

Sentence embeddings hardly tell "it rains" from "does it rain?" or "don't let it rain", and what follows from the three
differs: the first is an event, the second wants an answer, the third wants nothing to happen.
"""

from __future__ import annotations

import re
from typing import Literal

Mood = Literal["wish", "question", "refusal"]

_POLITE = re.compile(r"^(?:please|pls|hey|hi|hello|ok|okay|so|well|now|and|then|but|oh|right)\b[ ,]*")

# A question that is a wish in disguise: "what about fog?", "why not make it rain?", "would you mind bringing fog?".
_DISGUISED = re.compile(
    r"^(?:what if|what about|what would|what (?:does|do) .* (?:in|at|with) |how about|how would|why not|why don't|"
    r"why do not|why can't|can|could|would|may|might|shall|should|will you|won't you|is it possible|"
    r"is there any chance|is there a way to|any chance|do you think|do you mind|don't you think|"
    r"wouldn't it|isn't it time|how come we (?:never|don't)|when will you|"
    r"when can (?:i|we)|when (?:the|it|day|night|darkness)\b(?!.*\?)|do it|do a|do an|do some|do the)"
)
_ASKING = re.compile(
    r"^(?:what|what's|whats|when|when's|where|where's|who|who's|whose|whom|why|which|how|how's|is|isn't|are|aren't|was|"
    r"wasn't|were|weren't|am|has|hasn't|have (?:you|we|they|i|there|people (?:been|ever|already|always))|"
    r"haven't|had|"
    r"does|doesn't|do|did|didn't|will|won't)\b"
)
_REFUSING = re.compile(
    r"\b(?:(?:do not|don't|dont|never|must not|mustn't|should not|shouldn't|may not|let's not|let us not|rather not|"
    r"hopefully not|please not|please no|no one|noone|nobody|none|avoid|prevent|refrain|refuse|hate|dislike|not want|"
    r"not like|not need|sick of|skip the|spare me|anything but|under no circumstances|forbid)\b|"
    r"^(?:not|no)\b|\bno [a-z ]+ (?:please|thanks|thank you)$|\bno,? (?:thanks|thank you|way)\b|\? no\b|"
    r"\b(?:can|could|would|will) you (?:please )?not\b|\bnot (?:be )?(?:wanted|supposed|welcome)\b|"
    r"\bisn't supposed\b|\bdo without\b|\bleave (?:the |it |this |all )+[a-z ]*(?:as|alone|where)\b|"
    r"\bkeep [a-z ]*(?:from|off|out|away)\b|"
    r"\bwithout (?:a |any )?(?:car|pedestrian|person|people|road|cone|construction))"
)
# "No" that takes nothing back: it ends what there is, or says what cannot be seen.
_HARMLESS = re.compile(
    r"\bno (?:more|longer)\b|\bany (?:more|longer)\b|\banymore\b|\b(?:do not|don't|would not|wouldn't) mind\b|"
    r"\bwhy (?:don't|do not)\b|\bdon't you think\b|^no (?:clouds?|sun|sunlight|daylight|light|visibility|end)\b|"
    r"^no [a-z ]+, |^not (?:a|one|much|any|quite|very|fully|far|yet|[a-z]+ yet)\b|\b(?:can|could)(?:not|n't| not)\b|"
    r"\bdon't see\b|\bnobody can see\b|"
    r"\b(?:sick|tired) of (?:the |this |all )"
)


def mood(text: str) -> Mood:
    """The mood of one sentence in English: "question" wants to know, "refusal" wants something not to happen."""
    plain = " ".join(text.lower().replace("’", "'").split())
    while (bare := _POLITE.sub("", plain)) != plain and bare:
        plain = bare
    if _ASKING.match(plain) and not _DISGUISED.match(plain):
        return "question"
    if _REFUSING.search(plain) and not _HARMLESS.search(plain):
        return "refusal"
    return "wish"
