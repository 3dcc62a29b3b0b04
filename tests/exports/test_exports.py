"""Real exports in the programs that headquarters opens them with: GDAL, LibreOffice, pandas and openpyxl."""

import csv
import datetime
import io
import json
import subprocess
import unittest
import zoneinfo

import openpyxl
import pandas

from deployment import ADDRESS, BEGAN, CODE, NOTES, POSITION, ZONE, Deployment

BY_NOTE = dict(zip(NOTES, (datetime.datetime.fromisoformat(began) for began in BEGAN), strict=True))
ALMATY = zoneinfo.ZoneInfo(ZONE)


def tool(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def unguarded(text):
    """A note as it was written: in a CSV an apostrophe keeps a spreadsheet from running it."""
    return text[1:] if text.startswith("'") and text[1:] in NOTES else text


class Exports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment()
        cls.addClassCleanup(cls.deployment.end)

    def test_pandas_reads_the_csv_with_its_times_and_numbers(self):
        for query, settings in [
            ("csv", {}),
            ("csv?delimiter=tab", {"sep": "\t"}),
            ("csv?delimiter=semicolon&decimal=comma", {"sep": ";", "decimal": ","}),
        ]:
            with self.subTest(query):
                path = self.deployment.export(query)
                table = pandas.read_csv(path, dtype={"external_code": str}, **settings)
                self.assertEqual(table.columns[0], "id", "the byte order mark is no part of a name")
                self.assertEqual([*map(unguarded, table["text"])], newest_first(NOTES))
                # Offsets differ within a file that spans the change of the zone.
                began = pandas.to_datetime(table["started_at"], utc=True)
                self.assertEqual([*began], newest_first([*BY_NOTE.values()]))
                self.assertEqual({*zip(table["lat"], table["lon"])}, {POSITION})
                self.assertEqual({*table["external_code"]}, {CODE})
                self.assertEqual({*table["address"]}, {ADDRESS})

    def test_a_time_of_the_csv_is_the_one_on_the_wall_with_its_offset(self):
        text = self.deployment.export("csv").read_text(encoding="utf-8-sig")
        shown = {unguarded(row["text"]): row["started_at"] for row in csv.DictReader(io.StringIO(text, newline=""))}
        for note, began in BY_NOTE.items():
            self.assertEqual(shown[note], began.isoformat(timespec="milliseconds"))

    def test_openpyxl_finds_local_times_under_headings_that_name_their_zone(self):
        sheet = openpyxl.load_workbook(self.deployment.export("xlsx"))["visits"]
        headings, *rows = sheet.iter_rows()
        at = {heading.value: number for number, heading in enumerate(headings)}
        self.assertEqual(len(rows), len(NOTES))
        for row in rows:
            began, text = row[at[f"started_at ({ZONE})"]], row[at["text"]]
            self.assertEqual(began.value, BY_NOTE[text.value].replace(tzinfo=None))
            self.assertEqual(text.data_type, "s", "words are never a formula")
            self.assertEqual(row[at["external_code"]].value, CODE)
            self.assertEqual((row[at["lat"]].value, row[at["lon"]].value), POSITION)
            self.assertLessEqual({*(row[at["labels"]].value or "").split()}, {"late", "clock_behind"})

    def test_gdal_finds_a_layer_of_points_with_flat_fields(self):
        path = self.deployment.export("geojson")
        summary = tool("ogrinfo", "-so", "-al", path)
        self.assertIn(f"Feature Count: {len(NOTES)}", summary)
        self.assertIn("Geometry: Point", summary)
        fields = dict(line.split(": ", 1) for line in summary.splitlines() if "(" in line and line.count(": ") == 1)
        kinds = {name: kind.split(" ")[0] for name, kind in fields.items()}
        for name, kind in {
            "place_address": "String",
            "place_external_code": "String",
            "author": "String",
            "started_at": "DateTime",
            "received_at": "DateTime",
            "conflicts": "Integer",
            "notes": "Integer",
            "lat": "Real",
            "labels": "String",
        }.items():
            self.assertEqual(kinds.get(name), kind, name)
        self.assertFalse([name for name, kind in fields.items() if "JSON" in kind or "List" in kind], "nested fields")
        first = newest_first([*BY_NOTE.values()])[0]
        self.assertIn(f"started_at (DateTime) = {first:%Y/%m/%d %H:%M:%S}", tool("ogrinfo", "-al", path))

    def test_gdal_reads_the_csv_and_the_workbook(self):
        for query in ["csv", "csv?delimiter=semicolon&decimal=comma", "csv?delimiter=tab", "xlsx"]:
            with self.subTest(query):
                layer = tool("ogr2ogr", "-f", "GeoJSON", "/vsistdout/", self.deployment.export(query))
                features = json.loads(layer)["features"]
                words = [unguarded(feature["properties"]["text"]) for feature in features]
                self.assertEqual(words, newest_first(NOTES))

    def test_libreoffice_reads_what_excel_is_given_and_runs_nothing(self):
        # Text in UTF-8, cells between semicolons, in Russian; and back as CSV, with what each cell shows.
        read_semicolons = "CSV:59,34,76,1,,1049,false,true"
        for query, settings, kept in [
            # A CSV has no types: what looks like a number is one to a spreadsheet, and loses its zeros.
            ("csv?delimiter=semicolon&decimal=comma", [f"--infilter={read_semicolons}"], {"00123": "123"}),
            ("xlsx", [], {}),
        ]:
            with self.subTest(query):
                path = self.deployment.export(query)
                home = self.deployment.folder / "office"
                tool(
                    *["soffice", f"-env:UserInstallation={home.as_uri()}", "--headless", *settings],
                    *["--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true", "--outdir", home, path],
                )
                text = (home / "visits.csv").read_text(encoding="utf-8")
                rows = [*csv.DictReader(io.StringIO(text, newline=""))]
                self.assertEqual([unguarded(row["text"]) for row in rows], [kept.get(note, note) for note in newest_first(NOTES)])
                self.assertEqual({row["external_code"] for row in rows}, {CODE})


class ForReaders(unittest.TestCase):
    """Files in the language of whoever opens them, and what programs join by in them."""

    @classmethod
    def setUpClass(cls):
        cls.deployment = Deployment()
        cls.addClassCleanup(cls.deployment.end)

    def test_pandas_joins_a_file_for_a_reader_with_one_for_programs_by_the_same_names(self):
        plain = pandas.read_csv(self.deployment.export("csv"))
        for language, began, outcome in [
            ("ru", f"Начало ({ZONE})", "состоялся"),
            ("kk", f"Басталуы ({ZONE})", "кездесу өтті"),
            ("en", f"Started ({ZONE})", "contacted"),
        ]:
            with self.subTest(language):
                words = WORDS[language]
                table = pandas.read_csv(self.deployment.export(f"csv?language={language}"))
                self.assertEqual([*table.columns[:2]], [words["beat"], words["address"]])
                self.assertEqual({*table[words["beat"]]}, {"Участок 1"})
                self.assertEqual({*table[words["outcome"]]}, {outcome})
                both = table.merge(plain, on=["id", "beat", "place_id", "type", "outcome", "status"])
                self.assertEqual(len(both), len(NOTES))
                times = pandas.to_datetime(both[began])
                self.assertEqual([*times], newest_first([local.replace(tzinfo=None) for local in BY_NOTE.values()]))

    def test_openpyxl_finds_a_sheet_for_each_thing_in_the_readers_language(self):
        for language in WORDS:
            with self.subTest(language):
                words = WORDS[language]
                book = openpyxl.load_workbook(self.deployment.export(f"xlsx?sheets=all&language={language}"))
                self.assertEqual(book.sheetnames, words["sheets"])
                visits = {row["id"]: row for row in rows_of(book[words["sheets"][0]])}
                self.assertEqual({row[words["beat"]] for row in visits.values()}, {"Участок 1"})
                notes = rows_of(book[words["sheets"][1]])
                self.assertEqual({row[words["text"]] for row in notes}, {*NOTES})
                self.assertEqual({row["visit_id"] for row in notes}, {*visits})
                self.assertEqual({row[words["by"]] for row in notes}, {"Айгүл"})
                self.assertTrue(all(isinstance(row[words["at"]], datetime.datetime) for row in notes))

    def test_libreoffice_opens_every_sheet(self):
        path = self.deployment.export("xlsx?sheets=all&language=kk", "all.xlsx")
        home = self.deployment.folder / "office-sheets"
        # The last number: each sheet into a file of its own.
        tool(
            *["soffice", f"-env:UserInstallation={home.as_uri()}", "--headless"],
            *["--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"],
            *["--outdir", home, path],
        )
        for sheet in WORDS["kk"]["sheets"]:
            self.assertTrue((home / f"all-{sheet}.csv").read_text(encoding="utf-8").strip(), sheet)
        with (home / f"all-{WORDS['kk']['sheets'][0]}.csv").open(encoding="utf-8", newline="") as file:
            rows = [*csv.DictReader(file)]
        self.assertEqual({row["Нәтиже"] for row in rows}, {"кездесу өтті"})
        self.assertEqual({row["outcome"] for row in rows}, {"contacted"})

    def test_libreoffice_takes_the_times_of_a_csv_for_readers_for_times(self):
        path = self.deployment.export("csv?language=ru&delimiter=semicolon&decimal=comma", "read.csv")
        home = self.deployment.folder / "office-times"
        tool(
            *["soffice", f"-env:UserInstallation={home.as_uri()}", "--headless"],
            *["--infilter=CSV:59,34,76,1,,1049,false,true", "--convert-to", "xlsx", "--outdir", home, path],
        )
        rows = rows_of(openpyxl.load_workbook(home / "read.xlsx").worksheets[0])
        self.assertEqual(
            [row[f"Начало ({ZONE})"] for row in rows],
            newest_first([local.replace(tzinfo=None) for local in BY_NOTE.values()]),
        )

    def test_gdal_reads_every_layer(self):
        summary = tool("ogrinfo", self.deployment.export("xlsx?sheets=all&language=ru", "layers.xlsx"))
        for sheet in WORDS["ru"]["sheets"]:
            self.assertIn(sheet, summary)

    def test_the_other_lists_open_as_files(self):
        for name, sheet, heading, expected in [
            ("places", "Места", "Адрес", {ADDRESS}),
            ("devices", "Устройства", "Инспектор", {"Айгүл", "Штаб"}),
            ("coverage", "По участкам", "Участок", {"Участок 1"}),
        ]:
            with self.subTest(name):
                book = openpyxl.load_workbook(self.deployment.export("xlsx?language=ru", of=name))
                self.assertEqual(book.sheetnames[0], sheet)
                self.assertLessEqual({row[heading] for row in rows_of(book[sheet])}, expected)
                table = pandas.read_csv(self.deployment.export("csv?language=ru", of=name))
                self.assertEqual(len(table), len(rows_of(book[sheet])))
                self.assertLessEqual({*table[heading]}, expected)


WORDS = {
    "ru": {
        "sheets": ["Посещения", "Заметки", "Что беспокоит", "Обещания", "Направления в органы", "Расхождения", "История изменений"],
        "beat": "Участок", "address": "Адрес", "outcome": "Итог", "text": "Текст", "by": "Кто записал", "at": f"Когда записано ({ZONE})",
    },
    "kk": {
        "sheets": ["Барулар", "Жазбалар", "Алаңдататын мәселелер", "Уәделер", "Органдарға жолдаулар", "Қайшылықтар", "Өзгерістер тарихы"],
        "beat": "Учаске", "address": "Мекенжай", "outcome": "Нәтиже", "text": "Мәтін", "by": "Кім жазды", "at": f"Қашан жазылды ({ZONE})",
    },
    "en": {
        "sheets": ["Visits", "Notes", "Concerns", "Commitments", "Referrals", "Conflicts", "History of changes"],
        "beat": "Beat", "address": "Address", "outcome": "Outcome", "text": "Text", "by": "Written by", "at": f"Written at ({ZONE})",
    },
}


def rows_of(sheet):
    headings, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(headings, row, strict=True)) for row in rows]


def newest_first(values):
    """One value for each visit, in the order of an export."""
    order = sorted(range(len(NOTES)), key=lambda number: BY_NOTE[NOTES[number]], reverse=True)
    return [values[number] for number in order]


if __name__ == "__main__":
    unittest.main()
