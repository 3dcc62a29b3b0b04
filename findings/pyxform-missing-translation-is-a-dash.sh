#!/usr/bin/env bash
# One would guess: where one label lacks its translation, the phone shows it in the form's other language, or the converter
#   warns.
# What happens: a "-" is put in as the translation, for labels, hints and choices alike, without a warning. And where a
#   language has no text at all but is default_language, it vanishes from the form.
# Who meets it: a form in two languages that is translated bit by bit. Whoever reads the second language sees two choices that
#   both say "-", or a question of one sign, and answers something.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --root-user-action ignore --no-deps --target "$work/lib" \
    pyxform==4.5.0 defusedxml==0.7.1 et-xmlfile==2.0.0 lark==1.3.1 openpyxl==3.1.5 xlrd==2.0.1 >&2

PYTHONPATH=$work/lib python3 - <<'PY' || { echo 'This is no longer what happens.' >&2; exit 1; }
import re
import warnings

import pyxform
from pyxform.xls2xform import convert

warnings.simplefilter("ignore")
print("pyxform", pyxform.__version__)
LANGUAGES = "label::Русский (ru) | label::Қазақша (kk)"


def texts(form):
    """What each translation says, in the form's order."""
    assert not form.warnings, form.warnings
    return {
        language: re.findall("<value>(.*?)</value>", body)
        for language, body in re.findall('<translation lang="(.*?)".*?>(.*?)</translation>', form.xform)
    }


partly = texts(
    convert(
        f"""
| survey |
| | type | name | {LANGUAGES} | hint::Русский (ru) | hint::Қазақша (kk) |
| | text | street | Улица | Көше | Без номера | Нөмірсіз |
| | select_one state | meter | Счётчик | | Как есть | |
| choices |
| | list_name | name | {LANGUAGES} |
| | state | whole | исправен | дұрыс |
| | state | broken | сломан | |
| | state | none | нет | |
""",
        validate=False,
    )
)
print("\nTranslated in part:")
for language, said in partly.items():
    print(f"  {language}: {said}")
assert "-" not in partly["Русский (ru)"]
assert partly["Қазақша (kk)"].count("-") == 4

none = texts(
    convert(
        f"""
| survey |
| | type | name | {LANGUAGES} |
| | text | street | Улица | |
| settings |
| | default_language |
| | Қазақша (kk) |
""",
        validate=False,
    )
)
print("\nNot translated yet, and the second language is default_language:")
print("  languages in the form:", list(none))
assert list(none) == ["Русский (ru)"]
PY
