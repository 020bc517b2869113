"""The result as Markdown: a summary for a pull request or a pipeline, and the sheet of a sign-off."""

from gates.reports.markdown.contract import render_contract
from gates.reports.markdown.signoff import render_signoff
from gates.reports.markdown.summary import render

__all__ = ["render", "render_contract", "render_signoff"]
