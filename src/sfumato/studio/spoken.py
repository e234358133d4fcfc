"""What goes wrong, said in words on the page: never a traceback, never markup."""

from __future__ import annotations

import contextlib
import functools
import html
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from sfumato.errors import SfumatoError
from sfumato.studio.words import Words


def spoken(do: Callable[..., Any], say: Words) -> Callable[..., Any]:
    """Return a function or generator whose errors are messages for the visitor."""
    if inspect.isgeneratorfunction(do):

        @functools.wraps(do)
        def generate(*values: Any, **named: Any) -> Any:
            with _in_words(say):
                yield from do(*values, **named)

        return generate

    @functools.wraps(do)
    def act(*values: Any, **named: Any) -> Any:
        with _in_words(say):
            return do(*values, **named)

    return act


@contextlib.contextmanager
def _in_words(say: Words) -> Iterator[None]:
    """Turn an error inside into a message; what is a fault of ours also goes to the terminal."""
    try:
        yield
    except gr.Error:
        raise
    except SfumatoError as error:
        raise _message(str(error), say) from None
    except Exception as error:
        traceback.print_exception(error, file=sys.stderr)
        raise _message(say("studio.trouble"), say) from None


def _message(text: str, say: Words) -> gr.Error:
    # the page shows messages as HTML, and our sentences quote what people wrote
    return gr.Error(html.escape(text), title=say("studio.trouble_title"), print_exception=False)
