"""Builds the Jinja2 environment our pages are rendered in."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import import_module
from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from jinja2 import Environment, Template
from jinja2.environment import TemplateModule
from jinja2.runtime import Context

WORDS = "jobs.templatetags.jinja"


class Page(Template):
    """A template whose macros are made once: all of ours have the same globals, so no import need look for others."""

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        return super()._get_default_module()


class Pages(Environment):
    template_class = Page


@lru_cache(4096)
def url(name: str, *args: object, **kwargs: object) -> str:
    """The path of a named URL: `url("jobs:job", job.pk)`."""
    return reverse(name, args=args, kwargs=kwargs)


def environment(**options: Any) -> Environment:
    """An environment with autoescape on and the product's own words.

    `jobs.templatetags.jinja` may define `FILTERS` and `GLOBALS`, dicts from the name in a template to the function.
    """
    made = Pages(
        **options, extensions=["jinja2.ext.i18n", "jinja2.ext.do"], trim_blocks=True, lstrip_blocks=True
    )
    made.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    words = import_module(WORDS)
    made.globals.update({"url": url, "static": cache(static), **words.GLOBALS})
    made.filters.update(words.FILTERS)
    return made
