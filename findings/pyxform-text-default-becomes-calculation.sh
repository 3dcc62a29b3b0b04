#!/usr/bin/env bash
# One would guess: the default of a text question is text; what is to be calculated is written with a reference or a function.
# What happens: a + or a * , a - with spaces beside it, the words div and mod make an expression of it, without a warning.
#   A phone number is then no valid XPath at all, a house number "1 - 2" becomes -1, "first + second name" becomes NaN; but
#   "12-5", "12/5" and "8 (701) 000-00-00" stay text.
# Who meets it: whoever puts usual answers into a form. The form converts, and the phone out in the field shows nothing, a
#   number or an error where the answer should stand.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --root-user-action ignore --no-deps --target "$work/lib" \
    pyxform==4.5.0 defusedxml==0.7.1 et-xmlfile==2.0.0 lark==1.3.1 lxml==6.0.2 openpyxl==3.1.5 xlrd==2.0.1 >&2

PYTHONPATH=$work/lib python3 - <<'PY' || { echo 'This is no longer what happens.' >&2; exit 1; }
import warnings
from lxml import etree
import pyxform
from pyxform.xls2xform import convert

warnings.simplefilter("ignore")
print("pyxform", pyxform.__version__)
FORM = "| survey |\n| | type | name | label | default |\n| | text | answer | Answer | {} |\n"
XF = {"x": "http://www.w3.org/2002/xforms"}


def converted(default):
    """The default as text, or else as the expression that it became."""
    form = convert(FORM.format(default), validate=False)
    assert not form.warnings, form.warnings
    tree = etree.fromstring(form.xform.encode())
    (text,) = tree.xpath("//x:answer", namespaces=XF)
    set_to = tree.xpath("//x:setvalue/@value", namespaces=XF)
    return text.text, set_to[0] if set_to else None


def evaluated(expression):
    try:
        return str(etree.XML("<data><answer/></data>").xpath(expression))
    except etree.XPathEvalError as error:
        return f"no XPath: {error}"


print("\nDefaults of a text question, and what the form holds:")
for default, becomes in [
    ("12-5", None),
    ("12/5", None),
    ("8 (701) 000-00-00", None),
    ("1 - 2", "-1.0"),
    ("12 mod 5", "2.0"),
    ("Абай + Сәуле", "nan"),
    ("+7 701 000 00 00", "no XPath"),
]:
    text, expression = converted(default)
    if expression is None:
        print(f"  {default}: text")
        assert (text, becomes) == (default, None), default
    else:
        value = evaluated(expression)
        print(f"  {default}: an expression, whose value is {value}")
        assert text is None and expression == default and becomes, default
        assert value.startswith(becomes), (default, value)
PY
