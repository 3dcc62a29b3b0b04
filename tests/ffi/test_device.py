"""The device as apps in Python and Kotlin have it, against a real server."""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

import aralau
from aralau import Action, Answer, Device, DeviceError, VisitChange, VisitForm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from world import World

ROOT = pathlib.Path(__file__).parents[2]
FORM = {"visit_type": "door_to_door", "outcome": "contacted", "note": "Қоңырау бұзылған"}
URL, CODE = "https://hq.example", "K7WQ-2M4P-AB3C"


class Key:
    """A key that never leaves its place: as a keystore, it tells its public half as X.509 and signs in ASN.1."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        self.public = self.key.public_key().public_bytes(serialization.Encoding.DER, spki)

    def sign(self, message):
        return self.key.sign(message, ec.ECDSA(hashes.SHA256()))


def send(request):
    """The app's own network."""
    sent = urllib.request.Request(request.url, request.body or None, request.headers, method=request.method)
    try:
        answer = urllib.request.urlopen(sent)
    except urllib.error.HTTPError as refused:
        answer = refused
    except urllib.error.URLError:
        return Answer.UNREACHABLE()
    with answer:
        return Answer.CAME(status=answer.status, headers=dict(answer.headers), body=answer.read())


def drive(session, key):
    """Takes a session to its end; how many signatures were asked for at a time."""
    asked = []
    while True:
        step = session.next()
        if step.is_SIGN():
            asked.append(len(step.messages))
            session.signed([key.sign(message) for message in step.messages])
        elif step.is_SEND():
            session.answered(send(step.request))
        else:
            assert step.is_DONE(), step
            return asked


class WithDevices(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.end)

    def open(self, name):
        device = Device.open(str(self.world.folder / name))
        self.addCleanup(device.release)
        return device

    def phone(self, name):
        device = self.open(name)
        device.enroll(self.world.url, self.world.code(name))
        device.sync(0)
        return device

    def fails(self, code, action, call, *arguments):
        with self.assertRaises(DeviceError.Failed) as caught:
            call(*arguments)
        self.assertEqual((caught.exception.code, caught.exception.action), (code, action))
        return caught.exception


class Visits(WithDevices):
    def test_a_visit_made_offline_comes_to_headquarters(self):
        phone = self.phone("Aigul")
        place = phone.round()[0]
        visit = phone.log_draft(phone.begin_draft(VisitForm(place=place.id, **FORM)))
        self.assertEqual(json.loads(phone.visit(visit))["state"], "on_this_phone")
        self.assertEqual((phone.status().unsent, phone.status().person.name), (1, "Aigul"))
        report = phone.sync(0)
        self.assertEqual((report.pushed, report.unsent, report.held), (1, 0, []))
        shown = json.loads(phone.visit(visit))
        self.assertEqual((shown["state"], shown["notes"][0]["text"]), ("at_headquarters", FORM["note"]))
        self.assertEqual([one["id"] for one in json.loads(phone.visits_at(place.id))], [visit])
        [stop] = [stop for stop in phone.round() if stop.id == place.id]
        self.assertEqual((stop.visits, stop.outcome), (1, "contacted"))
        [change] = json.loads(phone.history(visit))
        self.assertEqual(change["by"], "Aigul")
        newer = phone.log_draft(phone.begin_draft(VisitForm(place=place.id, outcome="refused")))
        self.assertEqual([one["id"] for one in json.loads(phone.visits())], [newer, visit])
        self.assertEqual([one["id"] for one in json.loads(phone.visits(behind=newer, limit=9))], [visit])

    def test_the_outline_of_a_beat_holds_its_places(self):
        phone = self.phone("Kamila")
        [outline] = phone.outlines()
        [ring] = outline.rings
        self.assertEqual((outline.beat.code, len(ring)), ("beat-01", 4))
        [lats, lons] = [sorted(getattr(corner, name) for corner in ring) for name in ("lat", "lon")]
        for stop in phone.round():
            self.assertTrue(lats[0] < stop.coordinates.lat < lats[-1], stop)
            self.assertTrue(lons[0] < stop.coordinates.lon < lons[-1], stop)

    def test_a_draft_survives_reopening_and_becomes_a_visit_once(self):
        phone = self.phone("Bolat")
        draft = phone.begin_draft(VisitForm(note="half a no"))
        given_up = phone.begin_draft(VisitForm())
        concern = aralau.Concern(category="noise", text="after 23:00")
        form = VisitForm(note="half a note", concerns=[concern], position=aralau.Position(lat=43.2, lon=76.9))
        phone.keep_draft(draft, form)
        phone.drop_draft(given_up)
        phone.release()
        self.fails("device_released", Action.CORRECT, phone.drafts)
        phone = self.open("Bolat")
        [kept] = phone.drafts()
        self.assertEqual((kept.id, kept.form), (draft, form))
        phone.log_draft(draft)
        self.fails("draft_unknown", Action.CORRECT, phone.log_draft, draft)
        self.assertEqual(phone.drafts(), [])

    def test_one_of_two_values_is_chosen(self):
        phones = [self.phone("Daniyar"), self.phone("Erlan")]
        visit = phones[0].log_draft(phones[0].begin_draft(VisitForm(**FORM)))
        for phone in phones:
            phone.sync(0)
        for phone, outcome in zip(phones, ["refused", "no_answer"], strict=True):
            phone.edit_visit(visit, [VisitChange.SET(field="outcome", text=outcome)])
        for phone in [*phones, phones[0]]:
            phone.sync(0)
        [asking] = json.loads(phones[0].visits_asking())
        [conflict] = asking["conflicts"]
        values = sorted(one["value"] for one in conflict["values"])
        self.assertEqual((asking["id"], conflict["field"], values), (visit, "outcome", ["no_answer", "refused"]))
        self.fails("value_unknown", Action.CORRECT, phones[0].choose, visit, "outcome", '"contacted"')
        self.fails("invalid_argument", Action.CORRECT, phones[0].choose, visit, "outcome", "refused")
        phones[0].choose(visit, "outcome", '"refused"')
        for phone in phones:
            phone.sync(0)
        shown = json.loads(phones[1].visit(visit))
        self.assertEqual((shown["outcome"], shown["conflicts"]), ("refused", []))

    def test_what_a_screen_changes(self):
        phone = self.phone("Gulnara")
        promise = aralau.Commitment(to="№ 12", text="call back", due="2030-12-31")
        visit = phone.log_draft(phone.begin_draft(VisitForm(commitments=[promise], **FORM)))
        shown = json.loads(phone.visit(visit))
        [kept] = shown["collections"]["commitments"]
        changes = [
            VisitChange.ADD_NOTE(text="second look"),
            VisitChange.WITHDRAW_NOTE(id=shown["notes"][0]["id"]),
            VisitChange.FULFIL(id=kept),
        ]
        phone.edit_visit(visit, changes)
        shown = json.loads(phone.visit(visit))
        self.assertIn("fulfilled_at", shown["collections"]["commitments"][kept])
        self.assertEqual({note["text"]: note["status"] for note in shown["notes"]}["second look"], "active")
        phone.edit_visit(visit, [VisitChange.WITHDRAW()])
        self.assertEqual(json.loads(phone.visit(visit))["status"], "withdrawn")
        phone.sync(0)
        phone.erase()
        self.assertFalse(phone.is_enrolled())


class Failures(WithDevices):
    def test_failures_tell_their_code_and_what_helps(self):
        phone = self.open("Nobody")
        refused = self.fails("enrollment_code_unknown", Action.CORRECT, phone.enroll, self.world.url, CODE)
        self.assertNotEqual(refused.detail, "")
        self.fails("unreachable", Action.RETRY, phone.enroll, "http://127.0.0.1:9", CODE)
        self.fails("insecure_url", Action.CORRECT, phone.enroll, "http://hq.example", CODE)
        self.fails("not_enrolled", Action.ENROLL, phone.sync, 0)
        self.fails("not_enrolled", Action.ENROLL, phone.log_draft, phone.begin_draft(VisitForm()))
        self.fails("invalid_argument", Action.CORRECT, phone.visit, "no id")
        self.fails("invalid_argument", Action.CORRECT, phone.keep_draft, "no id", VisitForm())
        self.fails("invalid_argument", Action.CORRECT, phone.begin_draft, VisitForm(place="no id"))
        self.fails("document_unknown", Action.CORRECT, phone.visit, "00000000-0000-4000-8000-000000000000")

    def test_a_folder_is_one_device_at_a_time(self):
        first = self.open("Once")
        self.fails("store_in_use", Action.RETRY, self.open, "Once")
        first.release()
        self.open("Once")

    def test_one_device_answers_many_threads(self):
        phone = self.phone("Timur")
        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            logged = [threads.submit(lambda: phone.log_draft(phone.begin_draft(VisitForm(**FORM)))) for _ in range(24)]
            synced = [threads.submit(phone.sync, 0) for _ in range(2)]
            visits = {one.result() for one in logged}
            for one in synced:
                one.result()
        phone.sync(0)
        states = {one["id"]: one["state"] for one in json.loads(phone.visits(limit=100))}
        self.assertEqual(states, dict.fromkeys(visits, "at_headquarters"))


class KeysElsewhere(WithDevices):
    def test_a_key_elsewhere_signs_and_the_app_sends(self):
        key = Key()
        folder = str(self.world.folder / "Zarina")
        phone = Device.open_with(folder, key.public)
        self.addCleanup(phone.release)
        code = self.world.code("Zarina")
        self.fails("device_key", Action.REPORT, phone.enroll, self.world.url, code)
        self.assertEqual(drive(phone.begin_enrollment(self.world.url, code), key), [1])
        drive(phone.begin_sync(0), key)
        visit = phone.log_draft(phone.begin_draft(VisitForm(**FORM)))
        session = phone.begin_sync(0)
        self.assertEqual(drive(session, key), [1, 1], "the head of its one frame, then the request")
        self.assertEqual((session.report().pushed, session.report().unsent), (1, 0))
        self.assertEqual(json.loads(phone.visit(visit))["state"], "at_headquarters")
        self.fails("invalid_argument", Action.CORRECT, phone.begin_sync(0).signed, [b"none"])
        phone.release()
        self.fails("device_key", Action.REPORT, Device.open_with, folder, Key().public)
        self.fails("invalid_argument", Action.CORRECT, Device.open_with, folder, b"none")

    def test_a_line_that_is_down_is_told_by_the_app(self):
        key = Key()
        phone = Device.open_with(str(self.world.folder / "Ruslan"), key.public)
        self.addCleanup(phone.release)
        session = phone.begin_enrollment(self.world.url, CODE)
        session.signed([key.sign(message) for message in session.next().messages])
        self.assertTrue(session.next().is_SEND())
        session.answered(Answer.TIMED_OUT())
        self.fails("timed_out", Action.RETRY, session.next)


class Vector(unittest.TestCase):
    """As `client-sdk/tests/scripted/vector.rs` goes through it."""

    def test_the_same_words_are_the_same_bytes(self):
        vector = json.loads((ROOT / "client-sdk/tests/vector.json").read_text())
        folder = self.enterContext(tempfile.TemporaryDirectory())
        phone = Device.scripted(folder, bytes.fromhex(vector["public_key"]), vector["now"], vector["seed"])
        self.addCleanup(phone.release)
        enrollment = phone.begin_enrollment(URL, CODE)
        self.assertTrue(enrollment.next().is_SIGN())
        enrollment.signed([b"\1" * 64])
        self.assertTrue(enrollment.next().is_SEND())
        enrollment.answered(Answer.CAME(status=200, headers={}, body=json.dumps(vector["enrolled"]).encode()))
        self.assertTrue(enrollment.next().is_DONE())
        visit = phone.log_draft(phone.begin_draft(form(vector["form"])))
        for changes in vector["edits"]:
            phone.edit_visit(visit, [change(**one) for one in changes])
        signs = [message.hex() for message in phone.begin_sync(0).next().messages]
        self.assertEqual((visit, signs), (vector["visit"], vector["signs"]))


class Script(unittest.TestCase):
    """A life of the simulated world, which the client told natively: enrolled, killed, cut off, with others at its visits."""

    def test_the_same_life_is_the_same_bytes(self):
        script = pathlib.Path(os.environ["ARALAU_SCRIPT"]).read_text()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.assertEqual(aralau.replays(folder, script), len(json.loads(script)["scenes"]))


def form(fields):
    lists = {"concerns": aralau.Concern, "referrals": aralau.Referral, "commitments": aralau.Commitment}
    items = {name: [kind(**one) for one in fields[name]] for name, kind in lists.items()}
    return VisitForm(**{**fields, **items, "position": aralau.Position(**fields["position"])})


def change(kind, **fields):
    return getattr(VisitChange, kind.upper())(**fields)


class Examples(WithDevices):
    def run_example(self, name, *command):
        arguments = [str(self.world.folder / name), self.world.url, self.world.code(name)]
        done = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True, encoding="utf-8")
        return done.stdout.splitlines()

    def test_python(self):
        [line] = self.run_example("Aidar", sys.executable, str(ROOT / "client-sdk/ffi/examples/visit.py"))
        self.assertTrue(line.endswith(" at_headquarters"), line)

    @unittest.skipUnless(os.environ.get("ARALAU_JAVA"), "no Kotlin here")
    def test_kotlin(self):
        java = os.environ["ARALAU_JAVA"].split()
        line, failed = self.run_example("Botagoz", *java, "VisitKt")
        self.assertTrue(line.endswith(" at_headquarters"), line)
        self.assertEqual(failed, "draft_unknown CORRECT")


class Wording(unittest.TestCase):
    def test_codes_and_reasons_have_words(self):
        lists = {one["name"]: one["codes"] for one in json.loads(aralau.code_lists())}
        self.assertIn("contacted", [one["code"] for one in lists["outcome"]])
        self.assertNotEqual(aralau.reason("not_granted", aralau.Language.KAZAKH), "")


if __name__ == "__main__":
    unittest.main()
