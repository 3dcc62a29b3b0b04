"""A visit, from a code to headquarters: python3 visit.py FOLDER URL CODE"""

import json
import sys

from aralau import Device, VisitForm

folder, url, code = sys.argv[1:]
device = Device.open(folder)
device.enroll(url, code)
device.sync(0)  # brings the places
place = device.round()[0]
draft = device.begin_draft(VisitForm(place=place.id))
device.keep_draft(draft, VisitForm(place=place.id, visit_type="door_to_door", outcome="contacted", note="Қоңырау"))
visit = device.log_draft(draft)
device.sync(0)
print(place.address, json.loads(device.visit(visit))["state"])
