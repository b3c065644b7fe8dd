"""How is withdrawal scored? The Clinical Opiate Withdrawal Scale, item by item.

Only the scores listed are legal. The words are our own short ones, to tell the scores apart; the
published form stays the reference for whoever scores (Wesson and Ling 2003).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dosing.request import SCALE_TOPS

COWS = "cows"
SCALES = {
    COWS: "COWS",
    "sows_handelsman": "SOWS (Handelsman, 16 items)",
    "oows": "OOWS",
    "sows_gossop": "Short SOWS (Gossop, 10 items)",
    "cina": "CINA",
}
assert set(SCALES) == set(SCALE_TOPS), "every scale of the contract has its words"


@dataclass(frozen=True)
class Item:
    """One item of the scale: what is looked at, and the words of each legal score."""

    name: str
    label: str
    scores: Mapping[int, str]


COWS_ITEMS = (
    Item("pulse", "Pulse, after a minute at rest",
         {0: "80 or slower", 1: "81 to 100", 2: "101 to 120", 4: "faster than 120"}),
    Item("sweating", "Sweating, last half hour",
         {0: "none", 1: "says chills or flushes", 2: "flushed or moist face",
          3: "beads of sweat", 4: "sweat running"}),
    Item("restlessness", "Restlessness, as seen",
         {0: "sits still", 1: "finds it hard, but sits", 3: "shifts about often",
          5: "still for seconds only"}),
    Item("pupils", "Pupils",
         {0: "small, or normal for the light", 1: "perhaps large for the light",
          2: "moderately wide", 5: "only a rim of iris left"}),
    Item("aches", "Bone or joint aches, beyond any usual pain",
         {0: "none", 1: "mild, all over", 2: "severe, all over",
          4: "rubs joints, cannot keep still for pain"}),
    Item("nose_and_eyes", "Runny nose or tears",
         {0: "none", 1: "stuffy, or moist eyes", 2: "running or tearing",
          4: "streaming all the time"}),
    Item("gut", "Stomach and bowels, last half hour",
         {0: "nothing", 1: "cramps", 2: "nausea or loose stool", 3: "vomiting or diarrhoea",
          5: "several bouts"}),
    Item("tremor", "Tremor, hands held out",
         {0: "none", 1: "felt, not seen", 2: "slight, seen", 4: "gross, or muscles twitch"}),
    Item("yawning", "Yawning, as seen",
         {0: "none", 1: "once or twice", 2: "three times or more", 4: "several a minute"}),
    Item("anxiety", "Anxiety or irritability",
         {0: "none", 1: "says it is rising", 2: "plain to see", 4: "too much to assess well"}),
    Item("gooseflesh", "Gooseflesh",
         {0: "smooth skin", 3: "felt, or hairs stand up", 5: "plain to see"}),
)  # fmt: skip


def cows_total(scores: Mapping[str, int]) -> int:
    """The total of a whole form, 0 to 48. ValueError names the first item left out or illegal."""
    unknown = set(scores) - {item.name for item in COWS_ITEMS}
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]} is not an item of COWS")
    for item in COWS_ITEMS:
        if scores.get(item.name) not in item.scores or isinstance(scores[item.name], bool):
            legal = ", ".join(map(str, item.scores))
            raise ValueError(f"{item.name} must be one of: {legal}")
    return sum(scores.values())
