"""Render templates for one reader, with the headers that a page needs.

Everything that people typed is text: templates escape it, and the Content-Security-Policy allows no inline script or
style. Scripts have a nonce, and htmx acts only on elements that have it (`hx-nonce`), so that markup which somebody
managed to inject could neither run code nor send requests.
"""

import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from web.pages.catalogue import LOCALES, catalogue
from web.pages.reader import Reader
from web.pages.static_files import static

FOLDERS = sorted(Path(__file__).parents[1].glob("*/templates"))
"""The templates of all packages of `web`. Names of templates are unique."""
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types htmx"
)
"""What a page may load and do."""


@cache
def environment(locale: str) -> Environment:
    """Return the templates in one language."""
    found = Environment(
        loader=FileSystemLoader(FOLDERS),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    texts = catalogue(locale)
    install: Any = found.install_gettext_callables  # type: ignore[attr-defined]  # of the extension
    install(texts.text, texts.plural, newstyle=True)
    found.globals.update(static=static, locales=LOCALES)
    return found


def render(template: str, reader: Reader, nonce: str, context: Mapping[str, Any]) -> str:
    """Return a template as HTML. It sees `reader`, `nonce` and the `context`."""
    found = environment(reader.locale).get_template(template)
    return found.render(reader=reader, nonce=nonce, **context)


def page(template: str, reader: Reader, status: int = 200, **context: Any) -> HTMLResponse:
    """Return a page with its Content-Security-Policy."""
    nonce = secrets.token_urlsafe(16)
    headers = {
        "content-security-policy": POLICY.format(nonce=nonce),
        "content-language": reader.locale,
        "vary": "Cookie, Accept-Language",
    }
    return HTMLResponse(render(template, reader, nonce, context), status, headers)
