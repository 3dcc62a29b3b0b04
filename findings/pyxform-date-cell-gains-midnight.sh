#!/usr/bin/env bash
# One would guess: a cell with a date in a workbook is that date in the form: 2026-03-01, as in a form written as text.
# What happens: it becomes "2026-03-01 00:00:00": as the default of a date question, which is then no XForms date, and as the
#   name of a choice, with a space within the value that is sent. Neither is warned of.
# Who meets it: whoever writes a round's days into a form with a spreadsheet, which makes a date of whatever looks like one. Answers
#   arrive from the field under a name that no table of headquarters has.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --root-user-action ignore --no-deps --target "$work/lib" \
    pyxform==4.5.0 defusedxml==0.7.1 et-xmlfile==2.0.0 lark==1.3.1 openpyxl==3.1.5 xlrd==2.0.1 >&2

PYTHONPATH=$work/lib python3 - <<'PY' || { echo 'This is no longer what happens.' >&2; exit 1; }
import datetime
import io
import re
import warnings

import openpyxl
import pyxform
from pyxform.xls2xform import convert

warnings.simplefilter("ignore")
print("pyxform", pyxform.__version__, "- openpyxl", openpyxl.__version__)


def read(day):
    """The default of a date question and the name of a choice, where the cells hold `day`."""
    book = openpyxl.Workbook()
    survey = book.active
    survey.title = "survey"
    for row in (
        ["type", "name", "label", "default"],
        ["date", "due", "Due", day],
        ["select_one days", "visit_on", "Visit on", None],
    ):
        survey.append(row)
    choices = book.create_sheet("choices")
    choices.append(["list_name", "name", "label"])
    choices.append(["days", day, "First day"])
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    form = convert(file, validate=False, file_type=".xlsx")
    assert not form.warnings, form.warnings
    (due,) = re.findall("<due>(.*?)</due>", form.xform)
    (name,) = re.findall("<name>(.*?)</name>", form.xform)
    return due, name


for cell, day, seen in (
    ("text", "2026-03-01", "2026-03-01"),
    ("a date", datetime.date(2026, 3, 1), "2026-03-01 00:00:00"),
):
    due, name = read(day)
    print(f"  a cell with {cell}: default of a date question {due!r}, name of a choice {name!r}")
    assert (due, name) == (seen, seen)
PY
