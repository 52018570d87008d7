"""Write .env.example from the settings' own descriptions: `python scripts/write_env_example.py`."""

import textwrap

from dagster_project.settings import PROJECT_ROOT, documented


def main() -> None:
    blocks = [
        "# Copy to .env, in the project's folder, and take the # away from what you set. The variable\n"
        "# B2CHAT_ENV_FILE names another file. Relative paths start at the project's folder. The demo\n"
        "# needs none of these. A secret (password, key, token, DATABASE_URL) may stand in a file of its own:\n"
        "# NAME_FILE=/run/secrets/name in place of NAME=….\n"
    ]
    sections = set[str]()
    for section, variable, default, description in documented():
        if section not in sections:
            sections.add(section)
            blocks.append(f"# --- {section}\n")
        blocks.append(
            "\n".join(
                [
                    *textwrap.wrap(description, 110, initial_indent="# ", subsequent_indent="# "),
                    f"#{variable}={default}\n",
                ]
            )
        )
    (PROJECT_ROOT / ".env.example").write_text("\n".join(blocks))


if __name__ == "__main__":
    main()
