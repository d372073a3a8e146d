#!/usr/bin/env python3
"""Records what Python's Jinja2 makes of many small templates, for JinjaCasesGoldenTest.

    pip install jinja2==3.1.6
    python3.11 dev/record-jinja-cases.py > engine/src/test/resources/dev/ridgeline/tokenizer/template/jinja-cases.json

Jinja2 is set up as Hugging Face transformers sets it up for chat templates. Every template is
rendered with CONTEXT; its text is recorded, or its error and the line where it happened. Some
messages are Python's own and change between its versions: record with 3.11. Of generated cases
with the same error one is kept, all of them with --all.
"""

import datetime
import itertools
import json
import re
import sys

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

CONTEXT = {
    "s": "Hello, World",
    "sp": "  two  words \n",
    "uni": "Zürich 😀 naïve",
    "multi": "one\ntwo\n\nthree",
    "html": '<a href="x">\'&\'</a>',
    "n": 42,
    "neg": -7,
    "f": 2.5,
    "yes": True,
    "no": False,
    "nil": None,
    "empty": "",
    "el": [],
    "ed": {},
    "l": [3, 1, 2],
    "words": ["pear", "Apple", "fig", "apple", "Fig"],
    "mixed": [1, "a", None, 2.5, True, [1], {"k": "v"}],
    "d": {"b": 2, "a": 1, "C": 3},
    "nested": {"a": {"b": [10, {"c": "deep"}]}, "items": "shadowed", "1": "one"},
    "users": [
        {"name": "zoe", "age": 30, "admin": True, "tags": ["x", "y"]},
        {"name": "Adam", "age": 25, "admin": False, "tags": []},
        {"name": "bea", "age": 30, "tags": ["x"], "address": {"city": "Oslo"}},
    ],
    "tree": [{"v": 1, "c": [{"v": 2, "c": []}, {"v": 3, "c": [{"v": 4, "c": []}]}]}, {"v": 5, "c": []}],
}


class Generation(jinja2.ext.Extension):
    """The generation tag: the body of a call block whose macro gives its caller back."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        call = self.call_method("_pass")
        return jinja2.nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _pass(self, caller):
        return caller()


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(
        x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def environment():
    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", Generation]
    )
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    noon = datetime.datetime(2026, 11, 20, 12, 0)
    env.globals["strftime_now"] = noon.strftime
    return env


def error_line(error):
    if isinstance(error, jinja2.exceptions.TemplateSyntaxError):
        return error.lineno
    line, trace = None, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename in ("<template>", "<unknown>"):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def record(template):
    try:
        return {"template": template, "text": environment().from_string(template).render(**CONTEXT)}
    except Exception as error:  # every error is a result here
        message = error.message if hasattr(error, "message") else str(error)
        return {
            "template": template,
            "error": f"{type(error).__name__}: {message}",
            "line": error_line(error),
        }


def lines(text):
    return [line for line in text.strip().split("\n") if line and not line.startswith("##")]


# One template a line; \n in it is a line break.
BY_HAND = r"""
## printing values
{{ nil }} {{ yes }} {{ no }} {{ n }} {{ f }} {{ missing }}|{{ el }} {{ ed }} {{ l }} {{ d }}
{{ mixed }} {{ nested }} {{ (1,) }} {{ () }} {{ (1, 'a') }}
{{ [1.0, 1e-05, 1e16, 123456789.123, 0.1, 1e100, -0.0, 1.5e-7, 1e15, 12345678901234567.0] }}
{{ ["it's", 'say "hi"', 'both \' and "', 'tab\t', 'nl\n', 'back\\', 'é', '\u200b', '\x7f', '😀'] }}
{{ 1e308 * 10 }} {{ -1e308 * 10 }} {{ (1e308 * 10) - (1e308 * 10) }}
{{ 5e-324 }} {{ 2.2250738585072014e-308 }} {{ 1.7976931348623157e308 }}
{{ d.keys() }} {{ d.values() }} {{ d.items() }} {{ range(3) }} {{ range(1, 10, 2) }}
{{ namespace(a=1, b='x') }} {{ [missing] }} {{ {'k': missing} }}
{{ dict }} {{ namespace }}
{{ html }} {{ html|e }} {{ [html|e] }}
## literals
{{ 1_000 }} {{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1.5e3 }} {{ 1e3 }} {{ 00 }} {{ 1_0.5 }}
{{ 'a' 'b' "c" }} {{ 'a\'b' }} {{ "a\"b" }} {{ '\x41\u0042\U00000043' }} {{ '\101\60' }} {{ '\q' }}
{{ 'line\\nfeed' }} {{ '\N{SNOWMAN}' }}
{{ true }} {{ True }} {{ false }} {{ False }} {{ none }} {{ None }}
{{ [1, 2, ] }} {{ {'a': 1, } }} {{ (1, 2, ) }} {{ {} }} {{ [] }}
{{ {1: 'a', 1.0: 'b', true: 'c'} }} {{ {(1, 2): 3}[(1, 2)] }} {{ {none: 1}[none] }}
{{ {'a': {'b': 1}}['a']['b'] }} {{ {'x': 1}}}
{{ 007 }}
{{ 'unclosed }}
{{ '\x4' }}
{{ 1 2 }}
{{ a b }}
{{ ! }}
{{ (1 }}
{{ 1) }}
{{ [1} }}
{{ }}
{{ 1 + }}
{% %}
{% unknown %}
{% if %}x{% endif %}
{% if true %}
{% for x in l %}{% if x %}{% endfor %}
{% endif %}
{% endfor %}
{% for in l %}{% endfor %}
{% for x l %}{% endfor %}
{% set %}
{% set 1 = 2 %}
{% set true = 2 %}
{% set [a] = 2 %}
{% macro m(a=1, b) %}{% endmacro %}
{% else %}
{% if true %}{% else %}{% else %}{% endif %}
{# unclosed
{% raw %} unclosed
{{ 'a'|nofilter }}
{{ 'a' is notest }}
{% if false %}{{ 'a'|nofilter }}{% endif %}ok
{% if true %}{{ 'a'|nofilter }}{% endif %}
{% if true %}{{ 'a' is notest }}{% endif %}
{{ f(a=1, 2) }}
{{ f(**a, *b) }}
{{ f(*a, *b) }}
{{ 'a' is string is string }}
{% for loop in l %}{% endfor %}
{% for x in l %}{% set loop = 1 %}{% endfor %}
{% call 1 %}{% endcall %}
line1\nline2 {{ 1 + }}
line1\n{% if x %}\nline3\n{{ bad bad }}
{% macro m(caller) %}{{ caller() }}{% endmacro %}
## undefined
{{ missing.x }}
{{ missing['x'] }}
{{ missing() }}
{{ missing + 1 }}
{{ 1 + missing }}
{{ 'a' + missing }}
{{ missing ~ 'a' }}|{{ 'a' ~ missing }}
{{ missing < 1 }}
{{ 1 < missing }}
{{ -missing }}
{{ missing == missing2 }} {{ missing == none }} {{ missing != 1 }} {{ missing is defined }} {{ missing is undefined }}
{{ missing|length }} {{ missing|list }} {{ missing|default('x') }} {{ missing|d }}| {{ missing|string }}| {{ missing|upper }}|
{{ missing|first }}|{{ missing|join(',') }}|{{ missing|items|list }}
{{ missing|last }}
{{ missing|int }}
{{ missing|float }}
{{ missing|abs }}
{{ missing|round }}
{{ missing|tojson }}
{{ missing|dictsort }}
{{ missing|replace('a', 'b') }}|
{{ missing|trim }}|{{ missing|title }}|{{ missing|capitalize }}|
{{ missing|sort }} {{ missing|unique|list }} {{ missing|sum }} {{ missing|min }}|{{ missing|map('upper')|list }}
{% for x in missing %}x{% else %}none{% endfor %}
{% for a, b in missing %}x{% else %}none{% endfor %}
{% if missing %}a{% else %}b{% endif %} {{ not missing }} {{ missing or 'x' }} {{ missing and 'x' }}|
{{ 'a' in missing }} {{ missing in l }} {{ missing in [missing2] }}
{{ missing in s }}
{{ d.zzz }}|{{ d['zzz'] }}|{{ l[10] }}|{{ s[100] }}|{{ nil.x }}|{{ n.x }}|
{{ d.zzz.y }}
{{ d['zzz']['y'] }}
{{ l[10].y }}
{{ l.foo.bar }}
{{ nil.foo.bar }}
{{ none['x']['y'] }}
{{ none[0].y }}
{{ s.foo() }}
{{ n.foo() }}
{{ f['x'].y }}
{{ d[l].y }}
{{ d[1].y }}
{{ l['a'].y }}
{{ l[1.5].y }}
{{ true.foo.x }}
{{ namespace().foo.bar }}
{{ (1, 2)[5].x }}
{{ range(3)[7].x }}
{{ d.keys()[0].x }}
{{ users[0].nope.nope }}
{{ users[5].name }}
{{ ('x' if false).y }}
{{ 'x' if false }}|
{{ [] is sequence }} {{ missing is sequence }} {{ missing is iterable }} {{ missing is callable }} {{ missing is mapping }} {{ missing is none }}
{{ '%s' % missing }}|{{ '%s' % [missing] }}
{{ '%d' % missing }}
{{ '{}'.format(missing) }}|
{{ s.replace(missing, 'x') }}
{{ s.split(missing) }}
{{ l[missing] }}|
{{ range(missing) }}
{{ s[missing:] }}
{{ missing[1:] }}
{{ missing.__class__ }}
{{ missing is odd }}
{{ missing * 2 }}
{{ 2 ** missing }}
{{ missing.append(1) }}
{{ caller() }}
{{ loop.index }}
## attributes and items
{{ d.a }} {{ d['a'] }} {{ d.get('a') }} {{ d.get('z') }} {{ d.get('z', 9) }}
{{ d.get('z', default=9) }}
{{ d.get() }}
{{ d.get(1, 2, 3) }}
{{ d.keys(1) }}
{{ s.upper(1) }}
{{ s.strip(1, 2) }}
{{ s.strip(1) }}
{{ s.lstrip(chars='x') }}
{{ s.join() }}
{{ s.replace('a') }}
{{ s.replace('a', 'b', 'c') }}
{{ s.zfill() }}
{{ l.index() }}
{{ l.count() }}
{{ s.center() }}
{{ nested.a.b[1].c }} {{ nested['a']['b'][0] }} {{ nested.a.b.0 }} {{ nested.a.b.1.c }}
{{ nested['items'] }} {{ nested['1'] }} {{ nested.1 }}|
{{ nested.items()|length }} {{ nested.items is callable }}
{{ users[0].name }} {{ users[-1].address.city }} {{ users.0.name }}
{{ users[0]['tags'][1] }} {{ users[0].tags[-1] }}
{{ s[0] }} {{ s[-1] }} {{ uni[7] }} {{ uni[-1] }} {{ uni|length }} {{ uni[7:9] }}
{{ (1, 2, 3)[1] }} {{ 'abc'[true] }} {{ l[yes] }}
{{ d|attr('a') }}|{{ d|attr('keys') is callable }} {{ users|attr('foo') }}|
{{ s|attr('upper') is callable }} {{ s|attr('__class__') }}
{{ l.append }}
{{ l.append(1) }}
{{ l.pop() }}
{{ l.sort() }}
{{ l.reverse() }}
{{ d.update({}) }}
{{ d.pop('a') }}
{{ d.setdefault('x', 1) }}
{{ d.clear() }}
{{ s.__class__ }}
{{ s.__class__.__mro__ }}
{{ ''.__class__.__base__.__subclasses__() }}
{{ s.__len__() }}
{{ d.__class__ }}
{{ range.__globals__ }}
{{ n.real }} {{ n.imag }} {{ n.bit_length() }} {{ f.is_integer() }} {{ (2.0).is_integer() }}
{{ l.index(2) }} {{ l.count(1) }} {{ (1, 1, 2).count(1) }} {{ (1, 2).index(2) }} {{ l.index(2, 1) }}
{{ l.index(9) }}
{{ (1, 2).index(9) }}
{{ l.index(3, 1) }}
{{ d.copy() == d }} {{ l.copy() == l }}
{{ 5() }}
{{ s() }}
{{ d() }}
{{ nil() }}
{{ l.foo() }}
## strings' methods
{{ s.upper() }} {{ s.lower() }} {{ 'hello wORLD foo-bar'.title() }} {{ 'hELLO'.capitalize() }} {{ s.swapcase() }} {{ 'Straße'.casefold() }}
{{ "they're bill's".title() }} {{ 'ǆ'.title() }} {{ 'ﬁne'.title() }} {{ 'ßa'.capitalize() }} {{ 'İ'.lower()|length }} {{ 'ΑΣ'.lower() }}
[{{ sp.strip() }}] [{{ sp.lstrip() }}] [{{ sp.rstrip() }}] [{{ 'xxaxx'.strip('x') }}] [{{ 'abcba'.lstrip('ab') }}] [{{ 'abcba'.rstrip('ab') }}] [{{ sp.strip(none) }}]
[{{ '\u3000a\u00a0'.strip() }}] [{{ '\x1ca\x85'.strip() }}] [{{ '\u200ba'.strip()|length }}]
{{ 'a,b,,c'.split(',') }} {{ 'a b  c '.split() }} {{ 'a,b,c'.split(',', 1) }} {{ ' a b c '.split(none, 1) }} {{ ''.split() }} {{ ''.split(',') }} {{ 'a,b'.split(sep=',') }} {{ 'a b c'.split(maxsplit=1) }} {{ 'abc'.split('abc') }}
{{ 'a,b,,c'.rsplit(',', 1) }} {{ 'a b c '.rsplit() }} {{ ' a b c '.rsplit(none, 1) }} {{ 'aXXbXXc'.rsplit('XX') }} {{ 'a b c'.rsplit(' ', 0) }}
{{ 'a'.split('') }}
{{ 'a'.split(1) }}
{{ multi.splitlines() }} {{ multi.splitlines(true) }} {{ 'a\r\nb\rc\x0bd\u2028e'.splitlines() }} {{ ''.splitlines() }} {{ 'a\n'.splitlines() }}
{{ 'k=v=w'.partition('=') }} {{ 'k=v=w'.rpartition('=') }} {{ 'kv'.partition('=') }} {{ 'kv'.rpartition('=') }}
{{ 'a'.partition('') }}
{{ '-'.join(['a', 'b']) }} {{ ''.join(('x', 'y')) }} {{ ', '.join(d) }} {{ '.'.join('abc') }} {{ '+'.join(words|map('upper')) }}
{{ '-'.join(l) }}
{{ '-'.join(5) }}
{{ '-'.join(['a', none]) }}
{{ 'aaa'.replace('a', 'b') }} {{ 'aaa'.replace('a', 'b', 2) }} {{ 'abc'.replace('', '-') }} {{ 'abc'.replace('', '-', 2) }} {{ 'aaa'.replace('a', 'b', -1) }} {{ 'aaa'.replace('aa', 'b') }} {{ ''.replace('', 'x') }} {{ '😀a'.replace('', '-') }}
{{ 'a'.replace('a') }}
{{ 'a'.replace(1, 'b') }}
{{ s.startswith('Hello') }} {{ s.startswith(('x', 'He')) }} {{ s.startswith('World', 7) }} {{ s.startswith('H', 0, 0) }} {{ s.endswith('World') }} {{ s.endswith(('x', 'ld')) }} {{ s.endswith('lo', 0, 5) }} {{ s.startswith('') }} {{ s.startswith('', 50) }} {{ s.endswith('') }}
{{ s.startswith(1) }}
{{ s.startswith(['H']) }}
{{ s.startswith(('x', 1)) }}
{{ s.removeprefix('Hello') }} {{ s.removesuffix('World') }} {{ s.removeprefix('x') }} {{ s.removesuffix('') }}
{{ s.find('o') }} {{ s.rfind('o') }} {{ s.find('z') }} {{ s.find('o', 5) }} {{ s.find('o', 0, 3) }} {{ s.find('') }} {{ s.find('', 50) }} {{ uni.find('n') }} {{ uni.rfind('n') }} {{ s.index('W') }} {{ s.rindex('l') }} {{ s.find('o', -4) }} {{ s.rfind('') }}
{{ s.index('z') }}
{{ s.find(1) }}
{{ s.count('l') }} {{ s.count('') }} {{ 'aaaa'.count('aa') }} {{ s.count('l', 5) }} {{ s.count('l', 0, 4) }} {{ s.count('x', 99) }} {{ s.count('', 99) }}
[{{ 'a'.center(4) }}] [{{ 'ab'.center(5) }}] [{{ 'a'.center(5, '*') }}] [{{ 'a'.ljust(3) }}] [{{ 'a'.rjust(3, '.') }}] [{{ 'abc'.center(2) }}] [{{ '42'.zfill(5) }}] [{{ '-42'.zfill(5) }}] [{{ '+4'.zfill(1) }}] [{{ 'a\tb'.expandtabs() }}] [{{ 'a\tb\n\tc'.expandtabs(4) }}] [{{ '😀'.center(3, '-') }}]
{{ 'a'.center(4, 'xx') }}
{{ 'a'.ljust('x') }}
{{ 'abc'.isalpha() }} {{ 'a1'.isalnum() }} {{ '12'.isdigit() }} {{ '1.2'.isdigit() }} {{ '²'.isdigit() }} {{ '²'.isdecimal() }} {{ '½'.isnumeric() }} {{ '½'.isdigit() }} {{ ' \t'.isspace() }} {{ ''.isspace() }} {{ 'aB'.isupper() }} {{ 'AB1'.isupper() }} {{ 'ab1'.islower() }} {{ '1'.islower() }} {{ 'Ab Cd'.istitle() }} {{ 'AbC'.istitle() }} {{ 'a_1'.isidentifier() }} {{ '1a'.isidentifier() }} {{ 'é'.isascii() }} {{ 'a\n'.isprintable() }} {{ ''.isprintable() }} {{ ''.isalpha() }} {{ 'é'.isalpha() }}
## operators
{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 // -2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7.5 // 2 }} {{ -7.5 // 2 }} {{ -7.5 % 2 }} {{ 7.5 % -2 }} {{ 6 / 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2.0 ** 0.5 }} {{ (-2) ** 3 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }} {{ 0 ** 0 }} {{ 1e300 // 1e-5 }}
{{ 1 + 2 * 3 - 4 / 2 }} {{ (1 + 2) * 3 }} {{ 10 - 3 - 2 }} {{ 2 * 3 % 4 }} {{ 1 + 1.0 }} {{ true + true }} {{ true * 5 }} {{ -true }} {{ +no }}
{{ 'a' + 'b' }} {{ 'ab' * 3 }} {{ 3 * 'ab' }} {{ 'ab' * 0 }} {{ 'ab' * -1 }} {{ [1] + [2] }} {{ [1, 2] * 2 }} {{ (1,) + (2,) }} {{ 2 * (1,) }} {{ 'a' * true }}
{{ 'a' ~ 1 ~ none ~ 2.0 ~ [1] }} {{ 1 ~ 2 }} {{ 1 ~ 2 + 3 }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 1 % 0 }}
{{ 1.0 / 0 }}
{{ 1.0 // 0 }}
{{ 1.0 % 0 }}
{{ 0 ** -1 }}
{{ 10.0 ** 400 }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 3 > 2 > 1 }} {{ 1 == 1.0 }} {{ 1 == true }} {{ '1' == 1 }} {{ 1 != 2 }} {{ [1, 2] == [1, 2] }} {{ [1] == (1,) }} {{ {'a': 1} == {'a': 1.0} }} {{ none == none }} {{ 1 < 2 == 2 }} {{ 'a' < 'b' }} {{ 'B' < 'a' }} {{ [1, 2] < [1, 3] }} {{ [1] < [1, 0] }} {{ (1, 'a') < (1, 'b') }} {{ true > false }} {{ '😀' > '\uffff' }}
{{ 9007199254740993 == 9007199254740992.0 }} {{ 9007199254740993 > 9007199254740992.0 }} {{ (n * 1e308) > 9223372036854775807 }}
{{ 'ell' in s }} {{ 'x' not in s }} {{ 1 in l }} {{ 9 in l }} {{ 'a' in d }} {{ 1 in d }} {{ 2 in range(3) }} {{ 'b' in d.keys() }} {{ 2 in d.values() }} {{ ('a', 1) in d.items() }} {{ '' in s }} {{ none in mixed }} {{ 1.0 in l }} {{ 'A' in words|map('upper') }}
{{ 1 in s }}
{{ 1 in 5 }}
{{ 1 in none }}
{{ none in s }}
{{ [] in d }}
{{ not 1 }} {{ not not 1 }} {{ not 0 == 1 }} {{ 1 and 0 or 2 }} {{ 0 or '' or 'x' }} {{ 'a' and 'b' }} {{ [] or {} }} {{ not 1 in [2] }} {{ none and 1 }} {{ 1 if 0 else 2 }} {{ 1 if 1 else 1 / 0 }} {{ 'a' if no else 'b' if no else 'c' }} {{ (1 if yes) + 1 }}
{{ 1 is odd and 2 is even }} {{ not 1 is odd }} {{ 1 is not odd }} {{ n is divisibleby 7 }} {{ n is divisibleby(5) }} {{ 1 + 1 is odd }} {{ 'a' ~ 'b' is string }} {{ -1|abs }} {{ (-1)|abs }} {{ 2 + 3|string|length }} {{ -n.real }} {{ 5 is sameas 5 }} {{ none is sameas none }} {{ [] is sameas [] }}
{{ 'a' < 1 }}
{{ 1 > 'a' }}
{{ none < 1 }}
{{ [1] < 'a' }}
{{ {} < {} }}
{{ [1] <= [none] }}
{{ (1,) >= [1] }}
{{ -'a' }}
{{ +[] }}
{{ - none }}
{{ 'a' * 'b' }}
{{ 'a' * 1.5 }}
{{ [1] * none }}
{{ [1] + (2,) }}
{{ (1,) + [2] }}
{{ [1] + 'a' }}
{{ 'a' + 1 }}
{{ 'a' + none }}
{{ 'a' + d }}
{{ 1 + 'a' }}
{{ none + 1 }}
{{ d + d }}
{{ 'a' - 'b' }}
{{ [1] - [1] }}
{{ 'a' / 2 }}
{{ none // 2 }}
{{ [] ** 2 }}
{{ {} % 2 }}
{{ range(3) + range(3) }}
{{ d.keys() + d.keys() }}
{{ namespace() + 1 }}
## slices
{{ l[1:] }} {{ l[:2] }} {{ l[-2:] }} {{ l[:-1] }} {{ l[::2] }} {{ l[::-1] }} {{ l[5:] }} {{ l[2:1] }} {{ l[-100:100] }} {{ l[2:0:-1] }} {{ l[:] }} {{ l[none:none] }}
{{ s[1:4] }} {{ s[::-1] }} {{ s[-5:] }} {{ s[::3] }} {{ uni[::-1] }} {{ uni[:8] }} {{ s[10:100] }} {{ s[4:0:-2] }} {{ (1, 2, 3)[1:] }} {{ range(10)[2:8:3] }} {{ range(10)[::-1] }} {{ range(10)[::-2]|list }}
{{ d[1:] }}
{{ n[1:] }}
{{ nil[1:] }}
{{ l['a':] }}
{{ l[::0] }}
{{ l[1.5:] }}
{{ 'a😀b'[1:2] }} {{ 'a😀b'[1] }} {{ 'a😀b'[::2] }} {{ l[yes:] }}
{{ d.keys()[1:] }}
## percent formatting
{{ '%s and %s' % ('a', 1) }} {{ '%d%%' % 5 }} {{ '%5.2f|%-6s|%06d' % (3.14159, 'ab', 42) }} {{ '%x %X %o %#x' % (255, 255, 8, 255) }} {{ '%e %E %g %G' % (12345.678, 0.00012, 1e10, 1e-10) }} {{ '%r' % 'a' }} {{ '%c%c' % (65, 'B') }} {{ '%+d % d' % (5, 5) }} {{ '%(a)s-%(b)d' % d }} {{ '%.3s' % 'abcdef' }} {{ '%*d' % (5, 42) }} {{ '%.*f' % (2, 3.14159) }} {{ '%a' % 'é' }} {{ '%5s|%-5s' % ('😀', '😀') }}
{{ '%s' % [1, 2] }} {{ '%s' % none }} {{ '%s' % d }} {{ '%s' % 'x' }} {{ 'no' % () }} {{ 'no' % [] }} {{ 'no' % {} }} {{ '%d' % 3.99 }} {{ '%d' % true }} {{ '%i' % -3.99 }} {{ '%.3d' % 5 }} {{ '%f' % 1 }} {{ '%g' % 100000 }} {{ '%g' % 1000000 }} {{ '%g' % 0.0001 }} {{ '%g' % 0.00001 }} {{ '%#g' % 1.0 }} {{ '%.0f' % 0.5 }} {{ '%.0f' % 1.5 }} {{ '%.0e' % 15 }} {{ '%f' % (n * 1e308) }} {{ '%05f' % -(n * 1e308) }} {{ '%.1f' % 0.25 }} {{ '%-05d|' % 3 }}
{{ '%s %s' % 'a' }}
{{ '%s' % ('a', 'b') }}
{{ 'no' % 1 }}
{{ 'no' % 'x' }}
{{ '%d' % 'a' }}
{{ '%d' % none }}
{{ '%f' % 'a' }}
{{ '%x' % 1.5 }}
{{ '%c' % 'ab' }}
{{ '%y' % 1 }}
{{ '%' % 1 }}
{{ '%5' % 1 }}
{{ '%(a)s' % 1 }}
{{ '%(zz)s' % d }}
{{ '%(a' % d }}
{{ '%(a)s %s' % d }}
{{ '%d' % (n * 1e308) }}
## str.format
{{ '{} {}'.format(1, 'a') }} {{ '{1} {0}'.format(1, 2) }} {{ '{a} {b}'.format(a=1, b=2) }} {{ '{0.real} {1[0]} {2[k]}'.format(1, [5], {'k': 'v'}) }} {{ '{{}}'.format() }} {{ '{!r} {!s} {!a}'.format('é', 'é', 'é') }} {{ '{:>{}}'.format('a', 4) }} {{ '{:{w}.{p}f}'.format(3.14159, w=8, p=2) }} {{ '{x[name]}'.format(x=users[0]) }}
{{ '{a}'.format_map(d) }} {{ '{}'.format(none) }} {{ '{}'.format(l) }} {{ '{:}'.format(true) }} {{ '{:d}'.format(true) }} {{ '{:5}|{:<5}|{:^5}|{:>5}'.format(true, 1, 2, 3) }}
{{ '{}'.format() }}
{{ '{} {}'.format(1) }}
{{ '{0} {}'.format(1, 2) }}
{{ '{} {0}'.format(1, 2) }}
{{ '{a}'.format() }}
{{ '{'.format() }}
{{ '}'.format() }}
{{ '{0'.format(1) }}
{{ '{!x}'.format(1) }}
{{ '{:d}'.format('a') }}
{{ '{:s}'.format(1) }}
{{ '{:.2}'.format(1) }}
{{ '{:.2f}'.format('a') }}
{{ '{:>5}'.format([1]) }}
{{ '{:>5}'.format(none) }}
{{ '{:q}'.format(1) }}
{{ '{:q}'.format(1.5) }}
{{ '{0.__class__}'.format(1) }}
{{ '{0.zz.yy}'.format(1) }}
{{ '{0[5]}'.format(l) }}|
## filters: text
{{ s|upper }} {{ s|lower }} {{ s|capitalize }} {{ 'foo bar-baz (qux [a <b {c'|title }} {{ "it's"|title }} {{ n|upper }} {{ none|upper }} {{ 'ab cd'|title }} {{ 'ÉCOLE été'|title }}
[{{ sp|trim }}] [{{ 'xxaxx'|trim('x') }}] [{{ n|trim }}] [{{ 'a'|center(5) }}] [{{ 'ab'|center(5) }}] {{ ('x'|center)|length }}
{{ s|replace('l', 'L') }} {{ s|replace('l', 'L', 1) }} {{ 123|replace(2, 'x') }} {{ 'aaa'|replace('a', '<', 2) }} {{ s|replace('o', '0', count=1) }}
{{ s|string }} {{ n|string ~ 1 }} {{ s|length }} {{ uni|count }} {{ s|list }} {{ s|first }} {{ s|last }} {{ s|reverse }} {{ uni|reverse }} {{ '' |first }}|{{ ''|last }}|
{{ 'a b  c, d-e f_g'|wordcount }} {{ ''|wordcount }} {{ uni|wordcount }} {{ 123|wordcount }}
{{ 'Hello %s, %d'|format('x', 5) }} {{ '%(a)s'|format(a=1) }} {{ '%s'|format(l) }}
{{ '%s %s'|format(1) }}
{{ '%s'|format(1, a=2) }}
{{ multi|indent }}|{{ multi|indent(2, true) }}|{{ multi|indent(2, blank=true) }}|{{ multi|indent('> ', first=true, blank=true) }}|{{ 'a\n'|indent }}|{{ ''|indent }}|{{ ''|indent(first=true) }}
{{ 5|indent }}
{{ 'foo bar baz qux'|truncate(9) }} {{ 'foo bar baz qux'|truncate(9, true) }} {{ 'foo bar baz qux'|truncate(11) }} {{ 'foo bar baz qux'|truncate(11, false, '...', 0) }} {{ 'foo bar baz qux'|truncate(9, leeway=0, end='~') }} {{ 'abc'|truncate(3, leeway=0) }} {{ 'foobarbaz qux'|truncate(5, leeway=0) }} {{ [1,2]|truncate(20) }}
{{ 'foo bar'|truncate(2) }}
{{ 'foo bar'|truncate(5, leeway=-1) }}
{{ 'the quick brown fox jumps'|wordwrap(10) }}|{{ 'aaaaaaaaaaaaaaa bb'|wordwrap(5) }}|{{ 'aaaaaaaaaaaaaaa bb'|wordwrap(5, false) }}|{{ 'a b c d'|wordwrap(3, wrapstring='/') }}|{{ multi|wordwrap(4) }}|{{ 'well-known-fact here'|wordwrap(8) }}|{{ 'well-known'|wordwrap(6, break_on_hyphens=false) }}|{{ 'a   b    c'|wordwrap(4) }}
{{ 'a b/c?d=é&f'|urlencode }} {{ {'a b': 'c&d', 'e': 1}|urlencode }} {{ [('x', 'y z'), ('k', none)]|urlencode }} {{ 5|urlencode }} {{ 'a/b'|urlencode|replace('/', '%2F') }}
{{ 0|filesizeformat }} {{ 1|filesizeformat }} {{ 999|filesizeformat }} {{ 1000|filesizeformat }} {{ 1500000|filesizeformat }} {{ 1024|filesizeformat(true) }} {{ 123456789|filesizeformat(true) }} {{ '1234'|filesizeformat }} {{ 1e27|filesizeformat }} {{ 2.5|filesizeformat }}
{{ 'abc'|filesizeformat }}
{{ html|e }} {{ html|escape }} {{ html|safe }} {{ html|e|e }} {{ html|forceescape }} {{ (html|e)|forceescape }} {{ 5|e }} {{ none|e }}
{{ '<b>'|safe ~ '<i>' }} {{ '<b>'|safe + '<i>' }} {{ '<i>' + '<b>'|safe }} {{ '<i>' + ('<b>'|safe) }} {{ ('<b>%s</b>'|safe) % '<i>' }} {{ ('<b>%s</b>'|safe)|format('<i>') }} {{ ('<b>'|safe) * 2 }} {{ ('<b>'|safe)[0] }} {{ ('<b>'|safe).replace('b', '<') }} {{ ('-'|safe).join(['<', '>'|safe]) }} {{ ('<'|safe).upper() + '<' }} {{ ('{}'|safe).format('<') }} {{ ('<a>'|safe) is string }} {{ ('<a>'|safe) is escaped }} {{ ('<a>'|safe) == '<a>' }} {{ ['<a>'|safe] }} {{ ('a'|safe) in ['a'] }} {{ {'a': 1}['a'|safe] }} {{ ('<'|safe)|tojson }} {{ ('< <'|safe).split() }} {{ ('<a'|safe)|length }} {{ ['<', '>'|safe]|join('&') }} {{ ('<b>'|safe)|replace('b', '<') + '<' }} {{ ('a<b'|safe)|upper + '<' }} {{ ('<'|safe) + 1|string }}
{{ ('<'|safe) + 1 }}
{{ s|tojson }} {{ uni|tojson }} {{ uni|tojson(ensure_ascii=true) }} {{ d|tojson }} {{ mixed|tojson }} {{ nested|tojson(indent=2) }} {{ d|tojson(indent=4) }} {{ el|tojson(indent=2) }} {{ ed|tojson(indent=2) }} {{ [[]]|tojson(indent=1) }}
{{ d|tojson(sort_keys=true) }} {{ d|tojson(separators=(',', ':')) }} {{ d|tojson(separators=[';', '=']) }} {{ l|tojson(indent='\t') }} {{ l|tojson(indent=0) }} {{ d|tojson(indent=2, separators=(', ', ': ')) }} {{ html|tojson }} {{ '\x00\x1f\x7f\u2028\\"\b\f\n\r\t/'|tojson }} {{ '\x7f😀'|tojson(ensure_ascii=true) }}
{{ {1: 2, none: 3, true: 4, 1.5: 5, 'x': 6}|tojson }} {{ (1, 2)|tojson }} {{ 1.0|tojson }} {{ (n * 1e308)|tojson }} {{ -(n * 1e308)|tojson }} {{ ((n * 1e308) - (n * 1e308))|tojson }} {{ none|tojson }} {{ true|tojson }} {{ 1e-7|tojson }} {{ l|tojson(-1) }}
{{ d|tojson(none) }} {{ uni|tojson(true) }} {{ d|tojson(false, 2) }}
{{ {(1, 2): 3}|tojson }}
{{ range(3)|tojson }}
{{ l|map('string')|tojson }}
{{ d.items()|tojson }}
{{ l|reverse|tojson }}
{{ namespace()|tojson }}
{{ dict|tojson }}
{{ {1: 2, 'a': 3}|tojson(sort_keys=true) }}
{{ d|tojson(foo=1) is string }}
## filters: numbers and conversion
{{ '42'|int }} {{ ' 42 '|int }} {{ '4_2'|int }} {{ '-5'|int }} {{ '3.9'|int }} {{ 3.9|int }} {{ -3.9|int }} {{ 'x'|int }} {{ 'x'|int(7) }} {{ 'x'|int(default='q') }} {{ '0x1A'|int(base=16) }} {{ '1010'|int(base=2) }} {{ 'z'|int(0, 36) }} {{ '0b11'|int(base=0) }} {{ '1e3'|int }} {{ true|int }} {{ none|int }} {{ none|int(none) }} {{ [1]|int }} {{ ''|int }} {{ 'nan'|int }} {{ 'inf'|int(5) }} {{ '٣'|int }} {{ '0x1A'|int }} {{ '1__0'|int }}
{{ (n * 1e308)|int }}
{{ '1.5'|float }} {{ '1'|float }} {{ 'x'|float }} {{ 'x'|float(2.5) }} {{ 1|float }} {{ 'inf'|float }} {{ '-Infinity'|float }} {{ 'nan'|float }} {{ '1e5'|float }} {{ '1_0.5'|float }} {{ none|float }} {{ ' 2. '|float }} {{ '.5'|float }} {{ '.'|float }} {{ true|float }} {{ [1]|float }} {{ 'e5'|float }}
{{ 42.55|round }} {{ 42.55|round(1) }} {{ 2.5|round }} {{ 3.5|round }} {{ -2.5|round }} {{ 42.55|round(1, 'floor') }} {{ 42.55|round(1, 'ceil') }} {{ 42|round }} {{ 42|round(2) }} {{ 1234|round(-2) }} {{ 1250|round(-2) }} {{ 1234.5|round(-2) }} {{ 42.4|round|int }} {{ 2|round(0, 'ceil') }} {{ 0.125|round(2) }} {{ 2.675|round(2) }} {{ -0.4|round }} {{ 1e300|round(2) }} {{ 5.015|round(2) }} {{ true|round }}
{{ 1|round(1, 'x') }}
{{ 'a'|round }}
{{ (-5)|abs }} {{ -5.5|abs }} {{ true|abs }}
{{ 'a'|abs }}
{{ [1, 2, 3]|sum }} {{ [1.5, 2]|sum }} {{ []|sum }} {{ users|sum(attribute='age') }} {{ [1]|sum(start=10) }} {{ [[1], [2]]|sum(start=[]) }} {{ d.values()|sum }}
{{ ['a']|sum }}
{{ ['a']|sum(start='') }}
{{ missing|default('d') }} {{ none|default('d') }} {{ none|default('d', true) }} {{ ''|default('d', true) }} {{ 0|default('d') }} {{ 0|default('d', boolean=true) }} {{ d.zz|default('x') }} {{ d.zz|d(1) + 1 }} {{ missing|default(default_value='q') }} {{ users[9]|default([])|length }}
## filters: sequences
{{ l|first }} {{ l|last }} {{ l|length }} {{ l|sort }} {{ l|sort(reverse=true) }} {{ l|reverse|list }} {{ l|join }} {{ l|join('-') }} {{ l|join(d=', ') }} {{ users|join(', ', attribute='name') }} {{ d|list }} {{ d|first }} {{ d|last }} {{ d|length }} {{ d|reverse|list }} {{ range(3)|reverse|list }} {{ range(3)|last }} {{ (1, 2)|reverse|list }} {{ el|first }}|{{ el|last }}| {{ d.items()|last }} {{ d.items()|first }} {{ ('abc'|list)|join('.') }} {{ none|list is string }}
{{ none|list }}
{{ 5|first }}
{{ 5|last }}
{{ 5|length }}
{{ none|length }}
{{ l|map('string')|last }}
{{ l|map('string')|length }}
{{ 5|join }}
{{ el|first + 1 }}
{{ el|last + 1 }}
{{ el|max + 1 }}
{{ words|sort }} {{ words|sort(case_sensitive=true) }} {{ words|sort(true) }} {{ users|sort(attribute='age')|map(attribute='name')|list }} {{ users|sort(attribute='age,name')|map(attribute='name')|list }} {{ users|sort(attribute='age', reverse=true)|map(attribute='name')|list }} {{ d|sort }} {{ 'hello'|sort }} {{ [[2, 'b'], [1, 'a']]|sort }} {{ [(1, 'b'), (1, 'a')]|sort(attribute=1) }} {{ [(1, 'b'), (1, 'a')]|sort(attribute='0') }}
{{ mixed|sort }}
{{ [1, 'a']|sort }}
{{ users|sort }}
{{ 5|sort }}
{{ users|sort(attribute='zz') }}
{{ d|dictsort }} {{ d|dictsort(true) }} {{ d|dictsort(by='value') }} {{ d|dictsort(false, 'value', true) }} {{ d|dictsort(reverse=true) }} {{ ed|dictsort }}
{{ d|dictsort(by='x') }}
{{ l|dictsort }}
{{ {1: 2, 'a': 3}|dictsort }}
{{ words|unique|list }} {{ words|unique(true)|list }} {{ users|unique(attribute='age')|map(attribute='name')|list }} {{ [1, 1.0, true, 2]|unique|list }} {{ 'hello'|unique|join }}
{{ [[1]]|unique|list }}
{{ l|min }} {{ l|max }} {{ words|min }} {{ words|max }} {{ words|min(case_sensitive=true) }} {{ users|max(attribute='age') }} {{ el|min }}| {{ 'hello'|max }} {{ d|max }} {{ [1, 1.0]|max }} {{ users|min(attribute='name') }}
{{ [1, 'a']|min }}
{{ [1, 'a']|max }}
{{ users|map(attribute='name')|list }} {{ users|map(attribute='address.city')|list }} {{ users|map(attribute='address.city', default='?')|list }} {{ words|map('upper')|list }} {{ words|map('replace', 'p', 'q')|list }} {{ l|map('string')|join }} {{ users|map(attribute='tags')|map('length')|list }} {{ users|map(attribute='tags.0')|list }} {{ d|map('upper')|list }} {{ el|map('nofilter')|list }} {{ nil|map('upper')|list }} {{ l|map('default', 5)|list }} {{ words|map('truncate', 2, leeway=0, end='')|list }} {{ ['1', '2']|map('int')|sum }} {{ [l, l]|map('sort')|list }}
{{ l|map('nofilter')|list }}
{{ l|map|list }}
{{ l|map(attribute='x', foo=1)|list }}
{{ l|map(upper)|list }}
{{ 5|map('upper')|list }}
{{ l|map(attribute='x')|list }}|{{ l|map(attribute=0)|list }}
{{ users|map(attribute='a.b')|list }}
{{ l|select('odd')|list }} {{ l|select|list }} {{ [0, 1, '', none, 'x']|select|list }} {{ [0, 1, '', none, 'x']|reject|list }} {{ l|reject('odd')|list }} {{ l|select('gt', 1)|list }} {{ l|select('in', [1, 3])|list }} {{ l|reject('equalto', 1)|list }} {{ l|select('==', 2)|list }} {{ mixed|select('string')|list }} {{ mixed|reject('none')|list|length }} {{ words|select('in', ['fig'])|list }} {{ l|select('divisibleby', 3)|list }} {{ s|select('upper')|list }}
{{ users|selectattr('admin')|map(attribute='name')|list }} {{ users|rejectattr('admin')|map(attribute='name')|list }} {{ users|selectattr('age', 'gt', 26)|map(attribute='name')|list }} {{ users|selectattr('admin', 'defined')|map(attribute='name')|list }} {{ users|selectattr('address.city', 'eq', 'Oslo')|map(attribute='name')|list }} {{ users|rejectattr('address', 'undefined')|map(attribute='name')|list }} {{ users|selectattr('name', 'in', ['zoe', 'bea'])|list|length }}
{{ l|select('notest')|list }}
{{ l|selectattr|list }}
{{ l|select(odd)|list }}
{{ 5|select|list }}
{{ users|selectattr('a.b')|list }}
{{ l|select }}{# prints an address, so only: #}
{{ [1, 2, 3, 4, 5]|batch(2)|list }} {{ [1, 2, 3, 4, 5]|batch(2, 'x')|list }} {{ el|batch(2)|list }} {{ [1, 2, 3, 4, 5]|slice(2)|list }} {{ [1, 2, 3, 4, 5]|slice(3, 'x')|list }} {{ [1, 2]|slice(3)|list }} {{ [1, 2]|slice(3, fill_with=0)|list }} {{ 'abcde'|batch(3)|list }} {{ range(7)|slice(3)|map('list')|list }}
{{ l|slice(0)|list }}
{{ users|groupby('age') }} {{ users|groupby('age')|map(attribute='grouper')|list }} {{ users|groupby('age')|map('first')|list }} {{ users|groupby('name')|map(attribute='list')|map('length')|list }} {{ users|groupby('address.city', default='none')|map('first')|list }} {{ words|map('list')|groupby(0)|map('first')|list }}
{% for age, group in users|groupby('age') %}{{ age }}: {{ group|map(attribute='name')|join(', ') }}; {% endfor %}
{% for g in users|groupby('age') %}{{ g.grouper }}={{ g.list|length }} {{ g[0] }} {% endfor %}
{{ words|groupby(0)|map('first')|list }} {{ [{'k': 'a'}, {'k': 'A'}]|groupby('k') }} {{ [{'k': 'a'}, {'k': 'A'}]|groupby('k', case_sensitive=true) }}
{{ d|items|list }} {{ ed|items|list }} {{ nested.a|items|list }}
{{ l|items|list }}
{{ none|items|list }}
{% for k, v in d|items %}{{ k }}={{ v }} {% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }} {% endfor %}
{% set g = l|map('string') %}{{ g|list }}{{ g|list }}
{% set g = l|select('odd') %}{% for x in g %}{{ x }}{% break %}{% endfor %}|{% for x in g %}{{ x }}{% endfor %}
{% set r = l|reverse %}{{ r|first }}{{ r|list }}
## tests
{{ 1 is odd }} {{ 2.0 is even }} {{ 1.5 is odd }} {{ 4 is divisibleby 2 }} {{ n is number }} {{ true is number }} {{ true is integer }} {{ 1 is integer }} {{ 1.0 is float }} {{ 1 is float }} {{ true is boolean }} {{ 1 is boolean }} {{ true is true }} {{ 1 is true }} {{ false is false }} {{ 0 is false }} {{ none is none }} {{ s is string }} {{ d is mapping }} {{ l is mapping }} {{ l is sequence }} {{ d is sequence }} {{ s is sequence }} {{ n is sequence }} {{ range(3) is sequence }} {{ d.keys() is sequence }} {{ d.keys() is iterable }} {{ l is iterable }} {{ n is iterable }} {{ (l|map('string')) is iterable }} {{ range is callable }} {{ s is callable }} {{ d.get is callable }} {{ 'abc' is lower }} {{ 'ABC' is upper }} {{ 'aB' is lower }} {{ 5 is upper }} {{ (html|e) is escaped }} {{ html is escaped }} {{ 1 is in l }} {{ 'a' is in d }} {{ 1 is eq 1 }} {{ 1 is equalto 2 }} {{ 1 is ne 2 }} {{ 1 is lt 2 }} {{ 1 is lessthan 2 }} {{ 2 is gt 1 }} {{ 2 is greaterthan 1 }} {{ 1 is le 1 }} {{ 1 is ge 2 }} {{ 'upper' is filter }} {{ 'zzz' is filter }} {{ 'odd' is test }} {{ 'zzz' is test }} {{ 5 is not none }} {{ namespace() is mapping }} {{ missing is not defined }} {{ d.a is defined }} {{ d.zz is defined }} {{ nil is defined }}
{{ 'a' is odd }}
{{ none is even }}
{{ 1 is divisibleby 0 }}
{{ 1 is lt 'a' }}
{{ 1 is in 5 }}
{% for x in l %}{{ loop is iterable }}{{ loop is callable }}{{ loop is sequence }}{% endfor %}
{% macro m() %}{% endmacro %}{{ m is callable }} {{ m is defined }} {{ m is string }} {{ joiner() is callable }} {{ cycler(1) is callable }}
## globals
{{ range(3)|list }} {{ range(1, 4)|list }} {{ range(5, 0, -2)|list }} {{ range(0)|list }} {{ range(3)|length }} {{ range(5)[2] }} {{ range(5)[-1] }} {{ 3 in range(5) }} {{ range(2) == range(0, 2) }} {{ range(0) == range(2, 2) }} {{ range(1, 2).start }} {{ range(4, 1) | list }} {{ range(true)|list }}
{{ range() }}
{{ range('a') }}
{{ range(1.5) }}
{{ range(1, 2, 0) }}
{{ range(100001) }}
{{ range(10**9) }}
{{ range(1, 2, 3, 4) }}
{{ dict(a=1, b=2) }} {{ dict({'x': 1}, y=2) }} {{ dict([('a', 1), ['b', 2]]) }} {{ dict() }} {{ dict(d.items()) == d }} {{ dict(['ab', 'cd']) }}
{{ dict(1) }}
{{ dict([1]) }}
{{ dict([(1, 2, 3)]) }}
{{ dict([([], 1)]) }}
{{ dict(d, **{'z': 1}) }} {{ dict(**d) }}
{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.next() }}
{{ cycler() }}
{% set j = joiner('|') %}{{ j() }}a{{ j() }}b{{ j() }}c{% set k = joiner() %}{{ k() }}{{ k() }}
{% set ns = namespace(x=1) %}{% set ns.x = 2 %}{% set ns.y = 3 %}{{ ns.x }}{{ ns.y }}{{ ns['x'] }}{{ ns.z is defined }}{{ ns }}
{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}{% set ns.items = 5 %}{{ ns.items }}
{% set ns = namespace(_p=1) %}{{ ns._p }}
{% set d.x = 1 %}
{% set nope.x = 1 %}
{% set ns = namespace() %}{% set ns.x %}cap{% endset %}{{ ns.x }}
{% set ns = namespace() %}{% set ns.a, ns.b = 1, 2 %}{{ ns.a }}{{ ns.b }}
{{ raise_exception('Stop it: ' ~ n) }}
{{ raise_exception(d) }}
a\nb\n{% if yes %}\n{{ raise_exception('line four') }}\n{% endif %}
{{ strftime_now('%Y-%m-%d %d %b %B %a %A %H:%M:%S %p %j %y %e %I %-d %-m %% %D %F %T %R %c %x %X %U %W %w %u %G %V %h %C') }}|{{ strftime_now('%d %b %Y') }}|{{ strftime_now('%f %z %Z') }}|{{ strftime_now('') }}|{{ strftime_now('%B %d, %Y') }}|{{ strftime_now('%_d %^a %-H %-I %k %l %P %n%t') }}
## for
{% for x in l %}{{ x }}{% endfor %} {% for x in el %}x{% else %}empty{% endfor %} {% for x in l if x > 1 %}{{ x }}{% endfor %} {% for x in l if x > 9 %}{{ x }}{% else %}none{% endfor %}
{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}
{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}
{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %} {% for x in [1, 1, 2, 2] %}{{ loop.changed(x) }} {% endfor %} {% for x in [1, 1] %}{{ loop.changed(x, 2) }} {% endfor %}
{% for x in l %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{% endfor %} {% for x in l %}{{ loop }}{% endfor %}
{% for x in l %}{{ loop.previtem.x }}{% endfor %}
{% for x in l %}{{ loop.cycle() }}{% endfor %}
{% for x in l %}{{ loop.zzz }}|{% endfor %}
{% for x in l %}{{ loop.zzz.y }}|{% endfor %}
{% for x in l %}{{ loop(x) }}{% endfor %}
{% for k in d %}{{ k }}{% endfor %} {% for c in 'añ😀' %}{{ c }}.{% endfor %} {% for x in range(3) %}{{ x }}{% endfor %} {% for x in (1, 2) %}{{ x }}{% endfor %} {% for x in 1, 2, 3 %}{{ x }}{% endfor %} {% for a, b in [(1, 2), [3, 4]] %}{{ a }}{{ b }}{% endfor %} {% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %} {% for a, b in ['xy'] %}{{ a }}{{ b }}{% endfor %} {% for (a, b) in d.items() %}{{ a }}{% endfor %}
{% for x in 5 %}{% endfor %}
{% for x in none %}{% endfor %}
{% for x in true %}{% endfor %}
{% for a, b in l %}{% endfor %}
{% for a, b in [(1, 2, 3)] %}{% endfor %}
{% for a, b in [(1,)] %}{% endfor %}
{% for a, b in [none] %}{% endfor %}
{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %} {% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %} {% for x in l %}{% for y in l %}{% if y == 1 %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}{% endfor %}
{% for x in l %}{% break %}{% else %}else{% endfor %} {% for x in l %}{% continue %}{% else %}else{% endfor %} {% for x in l %}{% if loop.last %}{% break %}{% endif %}{% else %}else{% endfor %}
{% for x in l %}{% for y in [] %}{% else %}{% break %}{% endfor %}{{ x }}{% endfor %}|
{% for n in tree recursive %}{{ n.v }}[{{ loop(n.c) }}]{% endfor %}
{% for n in tree recursive %}{{ loop.depth }}{{ loop.index }}{% if n.c %}({{ loop(n.c) }}){% endif %}{% else %}leaf{% endfor %}
{% for n in tree recursive %}{{ n.v }}{% for m in n.c %}<{{ m.v }}>{% endfor %}{{ loop(n.c) }}{% endfor %}
{% for x in l|map('string') %}{{ loop.last }}{{ loop.length }} {% endfor %} {% for x in l if x != 3 %}{{ loop.index }}/{{ loop.length }} {% endfor %} {% for x in l|map('string') %}{{ loop.index }}{{ loop.revindex }} {% endfor %}
{% for x in l %}{% for y in [1, 2] %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}
{% for x in l %}{% set outer = loop %}{% for y in [1, 2] %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}
{% for item in users %}{{ item.name }}{{ ', ' if not loop.last }}{% endfor %}
{% for recursive in [1] %}{{ recursive }}{% endfor %} {% set recursive = 1 %}{{ recursive }} {{ recursive, 2 }}
{% for x in l: %}{{ x }}{% endfor %}{% if yes: %}y{% else: %}n{% endif %}
{% for x in d if x in ['a'] %}{{ x }}{% endfor %}
{% for x in l if loop.index > 1 %}{{ x }}{% endfor %}
{% for x in users if x.admin is defined and x.admin %}{{ x.name }}{% endfor %}
{% for x in (l if yes else el) %}{{ x }}{% endfor %} {% for x in l + [9] %}{{ x }}{% endfor %} {% for x in l[1:] %}{{ x }}{% endfor %} {% for x in l|sort %}{{ x }}{% endfor %} {% for x in not_there|default([]) %}{{ x }}{% endfor %}
{% for x in l %}{{ x }}{{ "," if not loop.last else "." }}{% endfor %}
## scopes
{% set x = 1 %}{% for i in l %}{% set x = 2 %}{% endfor %}{{ x }} {% if yes %}{% set x = 3 %}{% endif %}{{ x }} {% with %}{% set x = 4 %}{% endwith %}{{ x }} {% set y %}{% set x = 5 %}{% endset %}{{ x }} {% filter upper %}{% set x = 6 %}{% endfilter %}{{ x }}
{% set x = 0 %}{% for i in l %}{{ x }}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}
{% for i in l %}{{ z is defined }}{% set z = i %}{{ z }}{% endfor %}{{ z is defined }}
{% for i in l %}{{ i }}{% endfor %}{{ i is defined }} {% for n in l %}{{ n }}{% endfor %}{{ n }}
{% if no %}{% set q = 1 %}{% endif %}{{ q is defined }} {% if no %}{% set n = 1 %}{% endif %}{{ n }}
{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a is defined }} {% set a = 5 %}{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %} {% with %}{{ a }}{% endwith %}
{% set a, b = 1, 2 %}{{ a }}{{ b }} {% set a, b = b, a %}{{ a }}{{ b }} {% set (a, b) = [3, 4] %}{{ a }}{{ b }} {% set t = 1, 2 %}{{ t }} {% set t = 1, %}{{ t }}
{% set a, b = 1 %}
{% set a, b = l %}
{% set x = 'é' %}{% set x = x ~ x %}{{ x }}
{% set x %}a{{ n }}b{% endset %}{{ x }} {% set x | upper %}abc{% endset %}{{ x }} {% set x | replace('a', 'b') | upper %}abc{% endset %}{{ x }}
{% filter upper %}abc {{ s }}{% endfilter %} {% filter replace('a', 'b')|upper %}abc{% endfilter %} {% filter trim %}  x  {% endfilter %}
{% for x in l %}{% set c %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endset %}{{ c }}{% endfor %}
{% generation %}{{ s }}{% set x = 1 %}{% endgeneration %}{{ x is defined }}
{% set x = 1 %}{% generation %}{% set x = 2 %}{{ x }}{% endgeneration %}{{ x }}
{% autoescape false %}{{ html }}{% endautoescape %}
{% print n, s %} {% print 1 %}
{% set ns = namespace(found=false) %}{% for x in l %}{% if x == 1 %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.found }}
{% set x = [] %}{% for i in l %}{% set x = x + [i] %}{% endfor %}{{ x }}
{% set ns = namespace(x=[]) %}{% for i in l %}{% set ns.x = ns.x + [i] %}{% endfor %}{{ ns.x }}
{% set loop = 5 %}{{ loop }} {% for x in l %}{{ loop.index }}{% endfor %}
{% set range = 3 %}{{ range }}
{% set n %}{{ n }}{{ n }}{% endset %}{{ n }}
{% for i in l %}{{ n }}{% endfor %}{% set n = 1 %}{{ n }}
{% macro m() %}{{ n }}{% endmacro %}{{ m() }}{% set n = 1 %}{{ m() }}
{{ n }}{% for i in l %}{{ n }}{% endfor %}{% set n = 1 %}{{ n }}
{% for i in l %}{{ n }}{% endfor %}{% if yes %}{% set n = 1 %}{% endif %}{{ n }}
{% for i in l %}{% for j in l %}{{ n }}{% endfor %}{% set n = i %}{{ n }} {% endfor %}{{ n is defined }}
{% for i in l %}{{ n }}{% set n = i %}{{ n }} {% endfor %}{{ n }}
{% set n = n + 1 %}{{ n }}{% set n %}[{{ n }}]{% endset %}{{ n }}
{% filter upper %}{{ n }}{% endfilter %}{% set n = 'x' %}{{ n }}
{% macro n() %}{{ n is callable }}{% endmacro %}{{ n() }}
{% with n = n + 1 %}{{ n }}{% set s = n %}{{ s }}{% endwith %}{{ n }}{{ s }}
{% if yes %}{{ n }}{% set n = 1 %}{% endif %}{{ n }}
{% macro m() %}{% for i in [1] %}{{ n }}{% endfor %}{% set n = 5 %}{{ n }}{% endmacro %}{{ m() }}{{ n }}
{% call 5 %}x{% endcall %}
{% for x in l if x|nofilter %}{% endfor %}
{% if no %}{% for x in l %}{{ x|nofilter }}{% endfor %}{% endif %}
{% if no %}{% for x in l|nofilter %}{% endfor %}{% endif %}ok
{{ 1 if yes else 2|nofilter }}{{ 1|nofilter if no else 2 }}
{{ 1 if 2 is notest else 3 }}
{% set x %}{{ 1|nofilter }}{% endset %}
{% if no %}{% set x %}{{ 1|nofilter }}{% endset %}{% endif %}
## macros
{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(a=5) }} {{ m(b=1, a=2) }} {{ m() }} {{ m(1)|upper }} {{ m.name }} {{ m.arguments }}
{% macro m() %}x{% endmacro %}{{ m(1) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(b=2) }}
{% macro m(a) %}{{ a.x }}{% endmacro %}{{ m() }}
{% macro m(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, x=4) }} {{ m() }}
{% macro m() %}{{ varargs|join(',') }}{% endmacro %}{{ m(*l) }} {{ m(0, *l) }}
{% macro m(a, b) %}{{ a }}-{{ b }}{% endmacro %}{{ m(**{'a': 1, 'b': 2}) }} {{ m(*[1, 2]) }} {{ m(1, **{'b': 3}) }}
{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 2) }}
{% macro m(a=b, b=1) %}{{ a }}{{ b }}{% endmacro %}{{ m() }}|{{ m(b=5) }}
{% macro m(x) %}{% if x > 0 %}{{ x }}{{ m(x - 1) }}{% endif %}{% endmacro %}{{ m(5) }}
{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}
{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% set x = 2 %}{{ m() }}
{% macro m() %}{% set x = 9 %}{{ x }}{% endmacro %}{% set x = 1 %}{{ m() }}{{ x }}
{% macro m() %}{{ n }}{{ s }}{% endmacro %}{{ m() }} {% for n in [1, 2] %}{{ m() }}{% endfor %}
{% for i in l %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}{{ m is defined }}
{% if yes %}{% macro m() %}in if{% endmacro %}{% endif %}{{ m() }}
{% macro wrap(t) %}<{{ t }}>{{ caller() }}</{{ t }}>{% endmacro %}{% call wrap('b') %}body {{ n }}{% endcall %}
{% macro each(xs) %}{% for x in xs %}{{ caller(x, loop.index) }}{% endfor %}{% endmacro %}{% call(x, i) each(l) %}[{{ i }}:{{ x }}]{% endcall %}
{% macro m() %}{{ caller is defined }}{% if caller %}{{ caller() }}{% endif %}{% endmacro %}{{ m() }} {% call m() %}c{% endcall %}
{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}
{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}
{% macro m(caller=none) %}{% if caller %}{{ caller() }}{% else %}no{% endif %}{% endmacro %}{{ m() }} {% call m() %}y{% endcall %}
{% macro m() %}{{ kwargs }}{% endmacro %}{{ m(a=1) }} {{ m(caller=2) }}
{% macro m() %}{{ caller(1) }}{% endmacro %}{% call(a, b=2) m() %}{{ a }}{{ b }}{% endcall %}
{% macro m() %}{{ caller(1, 2) }}{% endmacro %}{% call(a) m() %}{{ a }}{% endcall %}
{% macro outer() %}[{{ caller() }}]{% endmacro %}{% macro inner() %}({{ caller() }}){% endmacro %}{% call outer() %}{% call inner() %}x{% endcall %}{% endcall %}
{% macro m(a) %}{{ a }}{% endmacro %}{{ [1, 2]|map('string')|map('upper')|list }} {{ m(m(1)) }} {{ m(a=m(a=2)) }}
{% macro m(a, a2='x') -%}\n  {{ a }}\n{%- endmacro %}[{{ m(1) }}]
{{ m() }}{% macro m() %}{% endmacro %}
{% macro m(x) %}{{ x }}{% endmacro %}{{ m }}
{% macro m(a=[]) %}{{ a }}{% endmacro %}{{ m() }}{{ m([1]) }}
{% macro f(x, indent=0) %}{% for k, v in x.items() %}{{ ' ' * indent }}{{ k }}: {% if v is mapping %}{{ '\n' }}{{ f(v, indent + 2) }}{% else %}{{ v }}{{ '\n' }}{% endif %}{% endfor %}{% endmacro %}{{ f({'a': {'b': 1, 'c': {'d': 2}}, 'e': 3}) }}
## errors deep inside, on their lines
a\n{% for x in l %}\n  {{ x.y.z }}\n{% endfor %}
{% macro m() %}\n\n{{ 1 / 0 }}\n{% endmacro %}\nx\n{{ m() }}
{% set x = [\n1,\n2\n] %}\n{{ x['a'].b }}
{# a\nb #}\n{{ missing.x }}
{% raw %}\n\n{% endraw %}\n{{ missing.x }}
{{ 'a\nb' }}\n{{ missing.x }}
{%- if yes -%}\n\n\n{{ missing.x }}{% endif %}
text\n\n  {%- if no %}\n{% elif missing.x %}\n{% endif %}
{% for a, b in\n [1] %}{% endfor %}
\n\n{{ nofunc() }}
{% set a = 1 %}\n{% set b = a.b.c %}
x\n{{ l|sort(attribute='a.b') }}
"""

# Text around tags: every combination of these pieces.
WHITESPACE = [
    before + tag + after + end
    for before in ["a", "a ", "a\n", "a\n  ", "\n", "  "]
    for tag in ["{% if yes %}", "{%- if yes %}", "{%+ if yes %}", "{% if yes -%}", "{% if yes +%}", "{%- if yes -%}"]
    for after in ["b", "\nb", " \n b"]
    for end in ["{% endif %}\nc", "\n  {% endif %}  c\n", " {%- endif -%} \n c"]
][::3] + [
    before + tag + after
    for before in ["a\n  ", " "]
    for tag in [
        "{# c #}", "{#- c #}", "{# c -#}", "{#- c -#}", "{#+ c #}", "{# c +#}", "{##}", "{#-#}", "{{ n }}", "{{- n }}",
        "{{ n -}}", "{{- n -}}", "{{+ n }}", "{% raw %} {{ x }} {% endraw %}", "{%- raw -%} {{ x }} {%- endraw -%}",
        "{% raw -%}\n {% x %}\n  {% endraw %}", "{%+ raw %}\n{{\n {%+ endraw %}", "{% raw %}{% endraw +%}",
        "{% raw %}  {%- endraw %}", "{%raw%}{#x#}{%endraw%}", "{% set q = 1 %}", "{%set q=1%}", "{%-set q=1-%}",
    ]
    for after in ["b", "\nb\n", "\n\n", " \n"]
]

PLAIN_WHITESPACE = [
    "", "\n", "\n\n", "a", "a\n", "a\n\n", "a\r\nb\r\n", "a\rb", "{{ 'a\r\nb' }}", "{%\nif\nyes\n%}x{%\nendif\n%}",
    "{{\n\nn\n}}", "{ { } }", "{", "%}", "}}", "#}", "{ % x % }", "a {{ '}}' }} b", "{{ '{% x %}' }}", "{{ '%}' }}",
    "{% if '%}' %}y{% endif %}", "{{ {'a': {'b': 1}} }}", "{{ {'a': {'b': 1}}['a'] }}", "{{n}}{{n}}", "{{-n-}}", "{#{#}#}",
    "{{ n }}\n{{ n }}\n", "  {% if yes %}\n  x\n  {% endif %}\n", "\t{% if yes %}\n\tx\n\t{% endif %}\n",
    "{% for x in l %}\n{{ x }}\n{% endfor %}\n", "{% for x in l -%}\n  {{ x }}\n{%- endfor %}\n",
    "x{% if yes %}{% if yes %}\ny{% endif %}{% endif %}\nz", "{% if yes %}\n{% if yes %}\n{% endif %}\n{% endif %}\n",
    "\u00a0{%- if yes %}x{% endif %}", "a\x0b{%- if yes %}x{% endif %}", "a \u2003 {%- if yes %}x{% endif %}", "{# a\n#}\n{# b #}\nx",
    "{% raw %}{{ a }}{% endraw %}{{ n }}", "{% raw %}{% raw %}{% endraw %}", "{{ n }} {# c #} {{ n }}", "a{# c\n\nd #}b",
]

# Addresses, and the complex numbers that Ridgeline has not.
UNSTABLE = re.compile(r" at 0x|\dj\)")

VALUES = ["0", "1", "2", "-3", "2.5", "-0.5", "true", "none", "''", "'ab'", "[]", "[1, 2]", "(1,)", "{}", "{'a': 1}"]
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", "in"]
SPECS = [
    "", "5", "<5", "^5", ">5", "*^7", "05", "+", " ", "+.1f", ".0f", ".3f", "8.2f", "08.2f", "e", ".2e", "E", "g", ".3g", "G", "%", ".1%",
    ",", "_", "010,", "d", "5d", "+d", "x", "#x", "X", "#o", "b", "#b", "08b", "_b", "c", "n", "s", ".2s", "<5s", "=5", ".2", ".10", "#.3g",
]
SPEC_VALUES = ["0", "42", "-1234567", "3.14159", "-0.00001234", "1e20", "123456.0", "(n * 1e308)", "true", "'abc'", "'😀'"]
PERCENTS = ["%s", "%5s", "%-5s|", "%.1s", "%r", "%d", "%5d", "%-5d|", "%05d", "%+d", "%x", "%#o", "%f", "%.2f", "%8.3f", "%+.0f", "%e", "%.1e", "%g", "%.3g", "%G", "%c"]
INDICES = ["", "0", "1", "-1", "2", "-2", "5", "-9"]
METHODS = [
    "upper", "lower", "title", "capitalize", "swapcase", "casefold", "strip", "split", "splitlines", "isalpha", "isalnum", "isdigit",
    "isdecimal", "isnumeric", "isspace", "isupper", "islower", "istitle", "isidentifier", "isascii", "isprintable",
]
TEXTS = ["''", "'a'", "'Ab c'", "'1 2'", "'ÀÉ ß'", "'ﬁ ǅ'", "'ΣΑΣ σ'", "'x\\ty'", "'٣²'", "'😀 𝐀'", "'don\\'t-stop me'", "'\\u2028\\u00a0'"]
FILTERS = [
    "upper", "length", "first", "last", "list", "string", "int", "float", "abs", "round", "reverse|list", "sort", "unique|list", "min", "max", "sum",
    "join('-')", "default('D')", "default('D', true)", "tojson", "title", "trim", "wordcount", "items|list", "dictsort", "batch(2)|list", "slice(2)|list",
    "map('string')|list", "select|list", "e", "urlencode", "capitalize", "truncate(3, true, '', 0)", "replace('a', 'b')", "filesizeformat",
]
TESTS = [
    "defined", "none", "string", "number", "integer", "float", "boolean", "true", "false", "mapping", "sequence", "iterable", "callable", "lower",
    "upper", "odd", "even", "divisibleby 2", "in [1, 'ab']", "eq 1", "gt 1", "sameas none", "escaped",
]


def generated():
    yield from WHITESPACE
    yield from PLAIN_WHITESPACE
    for a, op, b in itertools.product(VALUES, OPERATORS, VALUES):
        yield f"{{{{ {a} {op} {b} }}}}"
    for value, spec in itertools.product(SPEC_VALUES, SPECS):
        yield f"{{{{ '{{:{spec}}}'.format({value}) }}}}"
    for value, percent in itertools.product(SPEC_VALUES, PERCENTS):
        if value == "1e20" and percent[-1] in "do|x":
            continue  # integers beyond 64 bits
        yield f"{{{{ '{percent}' % {value} }}}}"
    for start, stop, step in itertools.product(INDICES, INDICES, ["", ":2", ":-1", ":-2"]):
        yield f"{{{{ l[{start}:{stop}{step}] }}}}{{{{ 'a😀c'[{start}:{stop}{step}] }}}}"
    for text, method in itertools.product(TEXTS, METHODS):
        yield f"{{{{ {text}.{method}() }}}}"
    for value, name in itertools.product(VALUES, FILTERS):
        yield f"{{{{ {value}|{name} }}}}"
    for value, name in itertools.product(VALUES, TESTS):
        yield f"{{{{ ({value}) is {name} }}}}"


def compact(records):
    """Joins neighbours that render without an error, ten at a time, for a smaller file."""
    group = []
    for item in records:
        if "text" in item and len(group) < 10:
            group.append(item)
            continue
        if group:
            yield record("|".join(i["template"] for i in group))
            group = []
        if "text" in item:
            group.append(item)
        else:
            yield item
    if group:
        yield record("|".join(i["template"] for i in group))


def by_hand():
    for line in lines(BY_HAND):
        yield record(line if "\\\\n" in line else line.replace("\\n", "\n"))


def main():
    cases = list(by_hand())
    n_text = len(WHITESPACE) + len(PLAIN_WHITESPACE)
    made = [record(template) for template in generated()]
    made = [case for case in made if not UNSTABLE.search(case.get("text", ""))]
    cases += made[:n_text]
    texts = [case for case in made[n_text:] if "text" in case]
    errors = [case for case in made[n_text:] if "error" in case]
    if "--all" not in sys.argv:
        errors = list({case["error"]: case for case in errors}.values())
    cases += list(compact(texts)) + errors
    cases = [case for case in cases if not UNSTABLE.search(case.get("text", ""))]
    rows = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
    context = json.dumps(CONTEXT, ensure_ascii=True)
    sys.stdout.write(f'{{"context": {context},\n"cases": [\n{rows}\n]}}\n')
    print(len(cases), "cases of", len(lines(BY_HAND)) + len(made), "templates", file=sys.stderr)


if __name__ == "__main__":
    main()
