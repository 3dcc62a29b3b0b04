"""A server with visits in it, as an operator and an inspector make them: the real binary, real folders."""

import urllib.request

from serving import Server, aralau

ZONE = "Asia/Almaty"

# What a spreadsheet might run, split, cut or turn into something else.
NOTES = [
    "=HYPERLINK(\"http://example.test\";\"шум\")",
    "+7 701 000 00 00",
    "-1",
    "@SUM(A1:A9)",
    "шум; подъезд, \"двор\"\nвторая строка",
    "тұрғын үйде жоқ; қайта бару керек",
    "00123",
    "1/2",
]

# When each of them began, by the clock on the wall: the night in which the zone went from UTC+6 to UTC+5 among them.
BEGAN = [
    "2026-05-10T01:30:00+05:00",
    "2026-05-10T23:30:00+05:00",
    "2024-02-29T23:30:00+06:00",
    "2024-02-29T23:30:00+05:00",
    "2024-03-01T00:00:00+05:00",
    "2026-05-11T00:00:00+05:00",
    "2026-05-09T23:59:59+05:00",
    "2026-05-10T12:00:00+05:00",
]

POSITION = (43.2389, 76.8897)
CODE = "00123-А"
ADDRESS = "ул. Абая, 1; кв. 2"


class Deployment(Server):
    """One beat with one place, one inspector, and the visits above."""

    def __init__(self):
        super().__init__("--time-zone", ZONE)
        [token] = aralau("admin", "--data", self.data, "token", "--role", "headquarters", "--name", "exports")
        self.token = token["token"]
        self.visit()

    def prepare(self):
        tables = {
            "beats": "code,name\nbeat-01,Участок 1\n",
            "places": f'beat,address,external_code,place_type,lat,lon\nbeat-01,"{ADDRESS}",{CODE},house,43.2,76.9\n',
            "staff": "name,beat\nАйгүл,beat-01\n",
        }
        for name, table in tables.items():
            (self.folder / f"{name}.csv").write_text(table, encoding="utf-8")
        files = [part for name in tables for part in (f"--{name}", str(self.folder / f"{name}.csv"))]
        aralau("admin", "--data", self.data, "load", *files)

    def visit(self):
        home = ["device", "--home", str(self.folder / "phone")]
        aralau(*home, "enroll", "--server", self.url, "--code", self.code("Айгүл"))
        aralau(*home, "sync")
        [place] = aralau(*home, "places")
        for note, began in zip(NOTES, BEGAN, strict=True):
            log = ["log", "--place", place["id"], "--type", "door_to_door", "--outcome", "contacted"]
            position = f"{POSITION[0]},{POSITION[1]},12.5"
            aralau(*home, *log, f"--note={note}", "--at", began, "--position", position)
        aralau(*home, "sync")

    def export(self, query, name=None, of="export"):
        """Saves `/v1/{of}.{query}`; the path of the file."""
        request = urllib.request.Request(f"{self.url}/v1/{of}.{query}")
        request.add_header("Authorization", f"Bearer {self.token}")
        path = self.folder / (name or f"{'visits' if of == 'export' else of}.{query.partition('?')[0]}")
        with urllib.request.urlopen(request) as answer:
            path.write_bytes(answer.read())
        return path
