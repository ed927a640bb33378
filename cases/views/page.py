"""A page in the Temporal UI, in Markdown."""


def page(headline: str, sections: dict[str, list[str]]) -> str:
    """A page in the Temporal UI, in Markdown; sections without lines are left out."""
    shown = "\n\n".join(
        f"**{title}**\n\n" + "\n".join(f"- {line}" for line in lines) for title, lines in sections.items() if lines
    )
    return f"{headline}\n\n{shown}"
