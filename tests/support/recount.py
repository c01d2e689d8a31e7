"""Counts the figures of a report again, from nothing but exported rows: tickets.csv, timeline.csv, ratings.csv.

    python3 recount.py FOLDER HOLIDAYS FROM TO

FROM and TO are local days, TO not included. Shares no code and no intermediate result with the program; the formulas are
those of its documentation. Prints one "name value" a line.
"""

import csv
import datetime as dt
import json
import sys
from collections import Counter, defaultdict

folder, holidays, first, last = sys.argv[1:5]
ZONE = dt.timezone(dt.timedelta(hours=8))
ENGINEERS = {"li@corp.example": 2, "wang@corp.example": 3, "chen@corp.example": 1, "zhou@corp.example": 2}
TARGETS = {  # seconds: response, resolution; counted in working time?
    "P1": (15 * 60, 2 * 3600, False),
    "P2": (30 * 60, 4 * 3600, False),
    "P3": (2 * 3600, 8 * 3600, True),
    "P4": (4 * 3600, 7 * 3600 + 1800, True),
}
SHIFTS = [(9 * 60, 12 * 60), (13 * 60 + 30, 18 * 60)]
DAY = 86_400_000


def local(ms):
    return dt.datetime.fromtimestamp(ms / 1000, ZONE)


def millis(day):
    return int(dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), ZONE).timestamp() * 1000)


START, END = millis(first), millis(last)
notice = {}
for name in holidays.split(","):
    for one in json.load(open(name))["days"]:
        notice[dt.date.fromisoformat(one["date"])] = one["isOffDay"]


def shifts(day):
    off = notice.get(day, day.weekday() >= 5)
    midnight = int(dt.datetime.combine(day, dt.time(), ZONE).timestamp() * 1000)
    return [] if off else [(midnight + a * 60_000, midnight + b * 60_000) for a, b in SHIFTS]


def worked(a, b):
    """Working milliseconds from a to b."""
    total, day = 0, local(a).date()
    while day <= local(b).date():
        total += sum(max(0, min(b, to) - max(a, at)) for at, to in shifts(day))
        day += dt.timedelta(days=1)
    return total


def work_on(a, duration):
    """The first moment by which so many working milliseconds have passed since a."""
    if duration == 0:
        return a
    day = local(a).date()
    while True:
        for at, to in shifts(day):
            at = max(a, at)
            if at < to:
                if duration <= to - at:
                    return at + duration
                duration -= to - at
        day += dt.timedelta(days=1)


def clock(priority, a, b):
    return worked(a, b) if TARGETS[priority][2] else b - a


def later(priority, at, duration):
    return work_on(at, duration) if TARGETS[priority][2] else at + duration


def rows(name):
    with open(f"{folder}/{name}.csv", newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def number(text):
    return int(text) if text else None


story = defaultdict(list)
for row in rows("timeline"):
    story[int(row["ticket"])].append((int(row["at"]), row["who"], json.loads(row["what"])))
verdicts = defaultdict(dict)
for row in rows("ratings"):
    verdicts[int(row["ticket"])][int(row["cycle"])] = (row["rating"], int(row["at"]))

OPEN = {"new", "assigned", "in_progress", "pending"}
rounds = []
for ticket in rows("tickets"):
    n = int(ticket["number"])
    lines = story[n]
    staff = set(ENGINEERS) | {w["assigned"]["to"] for _, _, w in lines if isinstance(w, dict) and "assigned" in w} - {None}
    human = [w for _, who, w in lines if who != "desk" and isinstance(w, dict)]
    auto_category = next((w["category"]["from"] for w in human if "category" in w), ticket["category"])
    auto_priority = next((w["priority"]["from"] for w in human if "priority" in w), ticket["priority"])
    priority = next((w["priority"]["from"] for _, _, w in lines if isinstance(w, dict) and "priority" in w), ticket["priority"])

    def begin(at, origin, previous, has):
        return dict(ticket=ticket, n=n, began=at, origin=origin, previous=previous, first=has, has=has, holds=[], hold=None,
                    resolved=None, ended=None, ending=None, reopened=None, answers=0, moves=0, up=False, told=False, people=1,
                    priority=None, taken_up=None)

    mine = [begin(int(ticket["created"]), "new", None, None)]
    for at, who, what in lines:
        now = mine[-1]
        kind, detail = (what, {}) if isinstance(what, str) else next(iter(what.items()))
        is_staff = who in staff and who != ticket["requester"]
        if is_staff and len(mine) > 1 and mine[-2]["taken_up"] is None:
            mine[-2]["taken_up"] = at
        if kind == "status":
            a, b = detail["from"], detail["to"]
            if a not in OPEN and b in OPEN:
                now["reopened"], now["priority"] = at, priority
                if a == "resolved":
                    now["ended"], now["ending"] = at, "reopened"
                mine.append(begin(at, "unconfirmed" if a == "resolved" else "closed", now["resolved"], now["has"]))
                continue
            if b == "pending":
                now["hold"] = now["hold"] or at
            elif now["hold"]:
                now["holds"].append((now["hold"], at))
                now["hold"] = None
            if b == "resolved":
                now["resolved"] = at
            elif b == "closed":
                if now["resolved"] is None and who != "desk":
                    now["resolved"] = at
                now["ended"], now["ending"] = at, "closed"
            elif b == "cancelled":
                now["ended"], now["ending"] = at, "cancelled"
        elif kind == "assigned":
            if now["has"] and detail["to"]:
                now["moves"] += 1
                now["up"] |= ENGINEERS.get(detail["to"], 0) > ENGINEERS.get(now["has"], 0)
            now["first"] = now["first"] or detail["to"]
            now["has"] = detail["to"]
        elif kind == "priority":
            priority = detail["to"]
        elif kind in ("message", "workaround") and is_staff and now["resolved"] is None:
            now["answers"] += 1
        elif kind == "escalated":
            now["told"] |= any(to != now["has"] for to in detail["to"])
        elif kind == "vendor_asked":
            now["up"] = True
        elif kind == "joined":
            now["people"] += 1
        elif kind == "rated" and detail["rating"] != "dissatisfied" and now["origin"] == "unconfirmed" and now["resolved"] is None:
            mine.pop()
            mine[-1].update(ended=None, ending=None, reopened=None)
    for at, one in enumerate(mine):
        is_last = at == len(mine) - 1
        one["cycle"] = at + 1
        p = one["priority"] = ticket["priority"] if is_last else one["priority"]
        holds = list(one["holds"])
        if one["hold"]:
            holds.append((one["hold"], int(ticket["updated"])))
        if p == "P1":
            holds = []
        if is_last:
            one["response_due"], one["due"] = int(ticket["response_due"]), int(ticket["resolution_due"])
        else:
            response, resolution, _ = TARGETS[p]
            one["response_due"] = later(p, one["began"], response * 1000)
            one["due"] = later(p, one["began"], resolution * 1000)
            for a, b in one["holds"] if p != "P1" else []:
                one["due"] = later(p, one["due"], clock(p, a, b))
        # Still on hold: the target moves on.
        if is_last and ticket["status"] == "pending" and p != "P1" and END > int(ticket["updated"]):
            one["due"] = later(p, one["due"], clock(p, int(ticket["updated"]), END))
        one["paused"] = sum(b - a for a, b in holds) // 1000
        one["took"] = one["resolved"] and (clock(p, one["began"], one["resolved"]) - sum(clock(p, a, b) for a, b in holds)) // 1000
        one["verdict"] = verdicts[n].get(one["cycle"])
        one["responded"] = number(ticket["first_response"]) if one["cycle"] == 1 else None
        one["auto"] = (auto_category, auto_priority)
        rounds.append(one)


def inside(at):
    return at is not None and START <= at < END


def out(name, value):
    print(name, value)


def ratio(name, values):
    values = list(values)
    out(name, f"{sum(values)}/{len(values)}")


def spread(name, values):
    values = sorted(values)
    n = len(values)
    if n == 0:
        return out(name, "n=0")
    rank = lambda tenths: values[max(1, -(-n * tenths // 10)) - 1]
    out(name, f"n={n} mean={sum(values) // n} median={rank(5)} p90={rank(9)}")


every = rounds
rounds = [r for r in rounds if r["began"] < END]
came = [r for r in rounds if r["origin"] != "unconfirmed"]
left = [r for r in rounds if r["ending"] in ("closed", "cancelled")]
is_open = lambda r, at: r["began"] < at and (r["ended"] is None or r["ended"] >= at)
out("at_start", sum(is_open(r, START) for r in rounds))
out("created", sum(inside(r["began"]) for r in came if r["origin"] == "new"))
out("reopened", sum(inside(r["began"]) for r in came if r["origin"] == "closed"))
out("closed", sum(inside(r["ended"]) for r in left if r["ending"] == "closed"))
out("cancelled", sum(inside(r["ended"]) for r in left if r["ending"] == "cancelled"))
out("at_end", sum(is_open(r, END) for r in rounds))

count = [r for r in rounds if not (r["ending"] == "cancelled" and r["ended"] < END)]
new = [r for r in count if r["origin"] == "new" and inside(r["began"])]
out("new", len(new))
days = int((END - START) / DAY)
for day in range(days):
    a, b = START + day * DAY, START + (day + 1) * DAY
    opened, shut = sum(a <= r["began"] < b for r in new), sum(a <= (r["ended"] or 0) < b for r in left if r["ending"] == "closed")
    out(f"day {day}", f"{opened} {shut} {sum(is_open(r, b) for r in rounds)}")
for name, many in sorted(Counter(r["ticket"]["category"] for r in new).items()):
    out(f"category {name}", many)
for name, many in sorted(Counter(r["ticket"]["department"] for r in new).items()):
    out(f"department {name}", many)
for (day, hour), many in sorted(Counter((local(r["began"]).weekday(), local(r["began"]).hour) for r in new).items()):
    out(f"heat {day} {hour}", many)
stock = Counter()
for r in count:
    if is_open(r, END):
        age = (END - int(r["ticket"]["created"])) // DAY
        band = next(i for i, most in enumerate([1, 3, 7, 30, 10**9]) if age <= most)
        stock[(band, r["priority"])] += 1
for (band, p), many in sorted(stock.items()):
    out(f"age {band} {p}", many)
out("awaiting", sum(is_open(r, END) and r["resolved"] is not None and r["resolved"] < END for r in count))

shut = [r for r in count if r["ending"] == "closed" and inside(r["ended"])]
ratio("category_kept", (r["auto"][0] == r["ticket"]["category"] for r in shut))
ratio("priority_kept", (r["auto"][1] == r["priority"] for r in shut))
out("engineers_closed", " ".join(str(many) for many in sorted(Counter(r["has"] for r in shut if r["has"]).values())))

rated = [r["verdict"][0] for r in count if r["verdict"] and inside(r["verdict"][1])]
out("ratings", " ".join(str(rated.count(word)) for word in ("satisfied", "mostly", "dissatisfied")))
silent = [r for r in count if r["resolved"] and r["ending"] in ("closed", "reopened") and inside(r["ended"])
          and not (r["verdict"] and r["verdict"][1] < END)]
out("asked", len(rated) + len(silent))
follow = []
for r in count:
    if r["verdict"] and r["verdict"][0] == "dissatisfied":
        due = work_on(r["verdict"][1], (7 * 3600 + 1800) * 1000)
        if inside(min(r["taken_up"] or due, due)):
            follow.append(r["taken_up"] is not None and r["taken_up"] <= due)
ratio("followed", follow)

alone = [r for r in count if not r["ticket"]["parent"]]
firsts = [r for r in alone if r["origin"] == "new"]
response, resolution = defaultdict(list), defaultdict(list)
for r in firsts:
    if inside(min(r["responded"] or r["response_due"], r["response_due"])):
        response[r["priority"]].append(r["responded"] is not None and r["responded"] <= r["response_due"])
for r in alone:
    gave_up = r["resolved"] is None and r["ended"] is not None and r["ended"] <= r["due"]
    if inside(min(r["resolved"] or r["due"], r["due"])) and not gave_up:
        resolution[r["priority"]].append(r["resolved"] is not None and r["resolved"] <= r["due"])
ratio("response", (met for p in response.values() for met in p))
ratio("resolution", (met for p in resolution.values() for met in p))
for p in sorted(TARGETS):
    out(f"closed {p}", sum(r["priority"] == p for r in shut))
    ratio(f"response {p}", response[p])
    ratio(f"resolution {p}", resolution[p])
    spread(f"resolutions {p}", [r["took"] for r in alone if inside(r["resolved"]) and r["priority"] == p])
answered = [r for r in firsts if inside(r["responded"])]
solved = [r for r in alone if inside(r["resolved"])]
spread("responses_wall", [(r["responded"] - r["began"]) // 1000 for r in answered])
spread("responses", [clock(r["priority"], r["began"], r["responded"]) // 1000 for r in answered])
spread("resolutions_wall", [(r["resolved"] - r["began"]) // 1000 - r["paused"] for r in solved])
spread("resolutions", [r["took"] for r in solved])
decided = [a for a in rows("approvals") if a["state"] in ("approved", "rejected") and inside(number(a["decided"]))]
asked_in = lambda a: next((r for r in reversed(every) if r["n"] == int(a["ticket"]) and r["began"] <= int(a["since"])), None)
decided = [a for a in decided if any(r is asked_in(a) for r in alone)]
spread("approvals", [(int(a["decided"]) - int(a["since"])) // 1000 for a in decided])

ratio("first_contact", (r["answers"] <= 1 and r["moves"] == 0 and not (r["reopened"] and (r["reopened"] - r["resolved"]) // 1000 <= 7 * 86400)
                        for r in solved if r["origin"] == "new" and r["priority"] in ("P3", "P4")))
relapsed = {r["n"] for r in alone if r["previous"] and inside(r["began"]) and (r["began"] - r["previous"]) // 1000 <= 30 * 86400}
out("reopens", f"{len(relapsed)}/{len({r['n'] for r in solved})}")
ratio("dispatch", (r["first"] == r["has"] for r in solved if r["origin"] == "new" and r["has"]))
fresh = [r for r in firsts if inside(r["began"])]
ratio("functional", (r["up"] for r in fresh))
ratio("hierarchic", (r["told"] for r in fresh))
before, repeated = {}, []
for r in sorted(firsts, key=lambda r: r["n"]):
    key = (r["ticket"]["requester"], r["ticket"]["category"])
    if inside(r["began"]):
        repeated.append(key in before and (r["began"] - before[key]) // 1000 <= 30 * 86400)
    before[key] = r["began"]
ratio("repeats", repeated)
majors = [r for r in alone if r["priority"] == "P1"]
out("majors", sum(inside(r["began"]) for r in majors if r["origin"] == "new"))
lasted = lambda r: max(0, min(r["resolved"] or r["ended"] or END, END) - max(r["began"], START)) // 1000
out("major_seconds", sum(lasted(r) for r in majors))
out("major_people_seconds", sum(lasted(r) * r["people"] for r in majors))
