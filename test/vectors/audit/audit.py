"""The figures of an audit, calculated from docs/audit.md without any of the product's code.

Reads lines of JSON (one blob each) from standard input and prints the figures. Standard library only.
Usage: python3 audit.py SINCE UNTIL PERCENTILE LIMIT_MS VAULT... < ledger.jsonl
"""

import hashlib
import json
import math
import re
import sys
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from fractions import Fraction

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
FIRST = datetime(2015, 1, 1, tzinfo=timezone.utc)
TOLERANCE = timedelta(minutes=5)
ORIGINS = ["live", "replay", "reconcile", "restore", "canary"]
TIMES = ["changedat", "eventat", "enqueuedat", "receivedat", "readat", "putat"]
STAGES = {
    "changeToEvent": ("changedat", "eventat"),
    "eventToQueue": ("eventat", "enqueuedat"),
    "queueToFunction": ("enqueuedat", "receivedat"),
    "functionToRead": ("receivedat", "readat"),
    "readToPut": ("readat", "putat"),
    "putToWitness": ("putat", "witness"),
    "queueToPut": ("enqueuedat", "putat"),
    "eventToPut": ("eventat", "putat"),
    "changeToPut": ("changedat", "putat"),
}
NAME = re.compile(
    r"(?:v1/(?P<record>[^/]+/[^/]+/[^/]+/[0-9a-f]{32})\.jwe\.json|gaps/v1/(?P<gap>[^/]+/[^/]+/[^/]+/[0-9a-f]{32})\.(?P<reason>disabled|value-absent|gone)\.json)"
)


def instant(text):
    if not re.match(r"\d{4}-\d\d-\d\dT", text):
        return None
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def milliseconds(delta):
    return delta // timedelta(milliseconds=1)


def nearest_rank(values, percent):
    """Definition 1 of Hyndman and Fan: the value at rank ceil(p n), counted from one, of the sorted values."""
    return sorted(values)[math.ceil(Fraction(percent) / 100 * len(values)) - 1]


class Entry:
    """One blob about one version, with its times, or with the reason why they are not to be used."""

    def __init__(self, blob):
        match = NAME.fullmatch(blob["name"])
        self.kind = "record" if match["record"] else "gap"
        host, collection, name, version = (match["record"] or match["gap"]).split("/")
        self.vault = "https://" + host.replace("_", ":")
        self.key = (self.vault, name, version)
        self.id = "/".join([self.vault, collection, name, version])
        self.name = blob["name"]
        self.reason = match["reason"]
        self.metadata = blob["metadata"]
        self.witness = instant(blob["createdAt"])
        self.times = {key: instant(self.metadata[key]) for key in TIMES if key in self.metadata}
        self.times["witness"] = self.witness
        self.sound = self.is_sound()

    def is_sound(self):
        needed = ["receivedat", "putat", "origin", "attempt", "replays", "format", "sha256"]
        needed += ["readat"] if self.kind == "record" else []
        if any(key not in self.metadata for key in needed) or None in self.times.values():
            return False
        if self.metadata["origin"] not in ORIGINS:
            return False
        if self.kind == "record" and "eventat" not in self.times and "changedat" not in self.times:
            return False
        if self.metadata["format"] != ("keyvault-backup/1" if self.kind == "record" else "keyvault-gap/1"):
            return False
        given = [self.times[key] for key in TIMES if key in self.times]
        if min(given) < FIRST or max(given) > self.witness + timedelta(seconds=1) + TOLERANCE:
            return False
        if self.stage("putToWitness") > milliseconds(TOLERANCE):
            return False
        stages = [self.stage(stage) for stage in STAGES if stage != "putToWitness"]
        return all(value is None or value >= -milliseconds(TOLERANCE) for value in stages)

    def stage(self, stage):
        start, end = (self.times.get(key) for key in STAGES[stage])
        return None if start is None or end is None else milliseconds(end - start)

    def latency(self):
        return self.stage("eventToPut") if "eventat" in self.times else self.stage("changeToPut")

    def since(self):
        if not self.sound:
            return self.witness
        return next(self.times[key] for key in ["eventat", "changedat", "enqueuedat", "receivedat", "putat"] if key in self.times)


def judge(latencies, unmeasured, unprotected, percent, limit):
    late = [max(0, value) for value in latencies]
    measured = len(late)
    population = measured + unmeasured + unprotected
    within = sum(value <= limit for value in late)
    used = measured - within + unprotected
    allowed = math.floor(population * (1 - Fraction(percent) / 100))
    ranked = late + [math.inf] * unprotected
    worth = nearest_rank(ranked, percent) if ranked else math.inf
    met = None
    if population and used > allowed:
        met = False
    elif population and used + unmeasured <= allowed:
        met = True
    return {
        "population": population,
        "measured": measured,
        "unmeasured": unmeasured,
        "within": within,
        "breaches": measured - within,
        "unprotected": unprotected,
        "percentileMs": None if worth == math.inf else worth,
        "met": met,
        "budget": {"allowed": allowed, "used": used, "left": allowed - used},
        "skewed": sum(value < 0 for value in latencies),
        "skewMs": min(latencies) if any(value < 0 for value in latencies) else None,
    }


def describe(stage, values):
    floor = -999 if stage == "putToWitness" else 0
    return {
        "count": len(values),
        "negative": sum(value < floor for value in values),
        "minMs": min(values),
        "p50Ms": nearest_rank(values, 50),
        "p90Ms": nearest_rank(values, 90),
        "p95Ms": nearest_rank(values, 95),
        "p99Ms": nearest_rank(values, 99),
        "maxMs": max(values),
        "isP99Meaningful": len(values) >= 100,
    }


def groups(entries, vaults):
    rows = []
    for vault in [None, *sorted(vaults)]:
        for origin in ORIGINS:
            own = [e for e in entries if e.metadata["origin"] == origin and vault in (None, e.vault)]
            deferred = [e for e in own if int(e.metadata["attempt"]) > 1]
            prompt = [e for e in own if int(e.metadata["attempt"]) <= 1]
            for flag, some in [(None, own)] + ([(False, prompt), (True, deferred)] if deferred else []):
                for stage in STAGES:
                    values = [value for e in some if (value := e.stage(stage)) is not None]
                    if values:
                        row = {"vault": vault, "origin": origin, "deferred": flag, "stage": stage}
                        rows.append({**row, **describe(stage, values)})
    return rows


def timeline(measured, gaps, limit):
    minute, hour, day = 60, 3600, 86400
    widths = [minute, 5 * minute, 15 * minute, 30 * minute, hour, 3 * hour, 6 * hour, 12 * hour, day, 7 * day]
    moments = [e.witness for e in measured] + [e.witness for e in gaps]
    seconds = [milliseconds(moment - EPOCH) // 1000 for moment in moments]
    width = next(w for w in widths if max(seconds) // w - min(seconds) // w < 400)
    buckets = defaultdict(lambda: ([], []))
    for index, entries in enumerate([measured, gaps]):
        for e in entries:
            buckets[milliseconds(e.witness - EPOCH) // 1000 // width][index].append(e)
    rows = []
    for index, (some, open_gaps) in sorted(buckets.items()):
        late = [max(0, e.latency()) for e in some]
        rows.append(
            {
                "from": stamp(EPOCH + timedelta(seconds=index * width)),
                "to": stamp(EPOCH + timedelta(seconds=(index + 1) * width)),
                "count": len(late),
                "p50Ms": nearest_rank(late, 50) if late else None,
                "p99Ms": nearest_rank(late, 99) if late else None,
                "maxMs": max(late) if late else None,
                "breaches": sum(value > limit for value in late),
                "openGaps": len(open_gaps),
            }
        )
    return rows


def stamp(moment):
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def open_gaps(entries):
    stored = {e.key for e in entries if e.kind == "record"}
    by_version = defaultdict(list)
    for e in entries:
        if e.kind == "gap" and e.key not in stored:
            by_version[e.key].append(e)
    found = []
    for several in by_version.values():
        last = sorted(several, key=lambda e: (e.witness, e.name))[-1]
        found.append((min(e.since() for e in several), last))
    return found


def main():
    since, until = instant(sys.argv[1]), instant(sys.argv[2])
    percent, limit, vaults = sys.argv[3], int(sys.argv[4]), sys.argv[5:]
    text = sys.stdin.read()
    entries = [e for e in map(Entry, map(json.loads, text.splitlines())) if e.witness < until]
    period = [e for e in entries if e.kind == "record" and e.witness >= since]
    sound = [e for e in period if e.sound]
    counted = [e for e in sound if e.metadata["origin"] in ("live", "replay")]
    broken = [e for e in period if not e.sound]
    gaps = open_gaps(entries)

    def objective(vault):
        return judge(
            [e.latency() for e in counted if vault in (None, e.vault)],
            sum(vault in (None, e.vault) for e in broken),
            sum(vault in (None, e.vault) for _, e in gaps),
            percent,
            limit,
        )

    worst = sorted(counted, key=lambda e: (-e.latency(), e.name))[:200]
    result = {
        "listingSha256": hashlib.sha256(text.encode()).hexdigest(),
        "objective": objective(None),
        "vaults": [
            {
                "vault": vault,
                "records": sum(e.vault == vault and e.kind == "record" for e in entries),
                "openGapCount": sum(e.vault == vault for _, e in gaps),
                "publicOnlyCount": sum(
                    e.vault == vault and e.kind == "record" and "origin" in e.metadata
                    and e.metadata["origin"] in ORIGINS and e.metadata.get("privatekey") == "absentByPolicy"
                    for e in entries
                ),
                "oldestGaps": [
                    {"id": e.id, "reason": e.reason, "since": stamp(moment)}
                    for moment, e in sorted(gaps, key=lambda gap: (gap[0], gap[1].id))
                    if e.vault == vault
                ][:200],
                "objective": objective(vault),
            }
            for vault in vaults
        ],
        "problems": sum(not e.sound for e in entries if e.witness >= since),
        "groups": groups(sound, vaults),
        "worst": [{"id": e.id, "latencyMs": e.latency()} for e in worst],
        "timeline": timeline(counted, [e for _, e in gaps if e.witness >= since], limit),
        "lateness": [
            [bound, sum(max(0, e.latency()) < bound for e in counted)]
            for bound in [10, 100, 1000, 10_000, 60_001, 100_000, 1_000_000, 10_000_000, 100_000_000]
        ],
    }
    json.dump(result, sys.stdout, separators=(",", ":"))
    print()


main()
