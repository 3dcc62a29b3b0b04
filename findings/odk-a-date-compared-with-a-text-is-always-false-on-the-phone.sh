#!/usr/bin/env bash
# Guess: date('2024-02-29') < '2024-03-01' is true, as two dates written year first are in order.
# Instead: on the phone (JavaRosa) the text is made a number, which it is not, so < and > and >= are all false, and no error
#   shows; = is true. On the web the text is made a date. With date() on both sides the two agree.
# Who meets it: a constraint or a relevance that was tried in the browser's preview: on the phone the question never shows.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q --disable-pip-version-check install --no-deps pyxform==4.5.0
npm install --prefix "$tmp" --loglevel=error --no-audit --no-fund --ignore-scripts @getodk/xforms-engine@0.22.0 jsdom@24.1.3 >/dev/null
jar=$(find "$tmp/venv" -name ODK_Validate.jar)
cat >"$tmp/expressions" <<'TXT'
date('2024-02-29') < '2024-03-01'
date('2024-02-29') > '2024-03-01'
date('2024-02-29') >= '2024-02-29'
date('2024-02-29') = '2024-02-29'
date('2024-02-29') < date('2024-03-01')
TXT
cat >"$tmp/Phone.java" <<'JAVA'
import java.nio.file.*;
import org.javarosa.core.model.condition.EvaluationContext;
import org.javarosa.xpath.XPathParseTool;
import org.javarosa.xpath.expr.XPathFuncExpr;

public class Phone {
    public static void main(String[] file) throws Exception {
        for (String text : Files.readAllLines(Path.of(file[0]))) {
            Object value = XPathParseTool.parseXPath(text).eval(null, new EvaluationContext(null));
            System.out.println(XPathFuncExpr.toString(value));
        }
    }
}
JAVA
java -cp "$jar" "$tmp/Phone.java" "$tmp/expressions" >"$tmp/phone" 2>"$tmp/log" || { cat "$tmp/log"; exit 1; }
cat >"$tmp/web.mjs" <<'JS'
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { JSDOM } from "jsdom";
const { window } = new JSDOM("");
for (const name of ["DOMParser", "XMLSerializer", "Node", "Element", "Document", "XMLDocument", "Attr", "Text", "CDATASection", "Comment"]) globalThis[name] = window[name];
Object.assign(globalThis, { window, document: window.document, require: createRequire(import.meta.url) });
globalThis.__dirname = new URL("node_modules/@getodk/xforms-engine/dist", import.meta.url).pathname;
globalThis.__filename = `${__dirname}/index.js`;
const { loadForm } = await import("@getodk/xforms-engine");
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
const lines = readFileSync(process.argv[2], "utf8").trim().split("\n");
const each = (of) => lines.map((text, at) => of(`c${at}`, escaped(text))).join("");
const { status, createInstance } = await loadForm(`<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>t</h:title>
<model><instance><data id="t">${each((name) => `<${name}/>`)}</data></instance>${each((name, text) => `<bind nodeset="/data/${name}" type="string" calculate="string(${text})"/>`)}</model></h:head>
<h:body>${each((name) => `<input ref="/data/${name}"><label>l</label></input>`)}</h:body></h:html>`);
if (status !== "success") process.exit(1);
console.log(createInstance().root.currentState.children.slice(0, lines.length).map((node) => node.currentState.value).join("\n"));
JS
node "$tmp/web.mjs" "$tmp/expressions" >"$tmp/web"
echo "JavaRosa of ODK Validate in pyxform 4.5.0 (phone), @getodk/xforms-engine 0.22.0 (web):"
paste -d '|' "$tmp/expressions" "$tmp/phone" "$tmp/web" | sed 's/|/  phone: /; s/|/  web: /'
diff <(paste -d ' ' "$tmp/phone" "$tmp/web") - <<'TXT'
false true
false false
false true
true true
true true
TXT
echo "On the phone a date compares with a text as not a number: both < and > are false; on the web it compares as a date."
