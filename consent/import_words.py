"""What does a page call the parts of a list? People and evidence are told apart."""

from dataclasses import dataclass

from consent import evidence_lists
from consent.models import ConsentEvent, ImportBatch


@dataclass(frozen=True)
class Words:
    """The words of one kind of list; `page` is where lists of the kind are sent."""

    page: str
    title: str
    lede: str
    note: str
    one: str
    new: str
    known: str
    stopped: str
    commit: str
    committed: str
    nothing: str
    discard: str


WORDS: dict[str, Words] = {
    ImportBatch.Kind.PEOPLE: Words(
        page="consent:imports",
        title="Import a list",
        lede="First it is checked and you see each bad row. Nothing is imported until you say so.",
        note="A yes in the column consent is kept as a claim. It lets you ask people to confirm, "
        "and nothing else. A no is honoured.",
        one="List from",
        new="New people",
        known="Known, brought up to date",
        stopped="Asked not to be written to",
        commit="people",
        committed="Imported. What the list claims of consent allows no marketing: ask people to "
        "confirm.",
        nothing="No row can be imported. Mend the file and send it again; nothing was changed.",
        discard="The rows of this list will be destroyed and nobody is added. You can send the "
        "file again.",
    ),
    ImportBatch.Kind.EVIDENCE: Words(
        page="consent:evidence",
        title="Import evidence",
        lede="What another system claims becomes consent where the act itself can be shown. First "
        "each row is checked; nothing is changed until you say so.",
        note="Evidence lifts no stop and undoes no no. It makes nobody known who was not.",
        one="Evidence from",
        new="Claims that become consent",
        known="Known already, left as they are",
        stopped="Stopped, and stay so",
        commit="acts of consent",
        committed="Imported. These people have agreed, each by the act that the list shows.",
        nothing="No row turns a claim into consent. Nothing was changed.",
        discard="The rows of this list will be destroyed and no claim becomes consent. You can "
        "send the file again.",
    ),
}


def needs() -> list[dict[str, str]]:
    """Return which columns a list of evidence needs, for each act."""
    acts = dict(ConsentEvent.Act.choices)
    every = {"act": "Every act", "columns": ", ".join(evidence_lists.ALWAYS)}
    return [
        every,
        *[
            {"act": acts[act], "columns": ", ".join(" or ".join(one) for one in groups)}
            for act, groups in evidence_lists.NEEDED_BY_ACT.items()
        ],
    ]
