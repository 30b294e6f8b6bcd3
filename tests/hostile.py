"""Texts that try to become markup, to run, to hide or to break a layout."""

from __future__ import annotations

PAYLOADS = (
    "<script>hit()</script>",
    "</title></style></textarea></script><script>hit()</script>",
    "<img src=x onerror=hit()>",
    '" onmouseover="hit()" autofocus onfocus="hit()" x="',
    "' onclick='hit()' style='position:fixed;inset:0' x='",
    "<svg onload=hit()><desc><![CDATA[</desc><script>hit()</script>]]></svg>",
    "<iframe srcdoc='<script>parent.hit()</script>'></iframe>",
    "javascript:hit() <a href=javascript:hit()>here</a> <base href=//evil.example/>",
    "{{ 7 * 7 }} {% raw %} ${7*7} $\\frac{1}{2}$ &lt;b&gt; &#60;script&#62;",
    "abc \u202egnp.exe\u202c \u2066hidden\u2069 \u200b\u00ad\ufeff end",
    "bell \x07 escape \x1b[31m null \x00 c1 \x9b31m tag \U000e0041 none \uffff",
    "z" + "\u0335\u0321" * 200 + "algo " + "W" * 3000,
)
