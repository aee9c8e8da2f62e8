"""Declares an environment variable of a function in a built template, for `sam local invoke` passes no other.

    declare_variable.py TEMPLATE FUNCTION VARIABLE

Runs in SAM's own environment, whose parser knows the short forms of CloudFormation (`!Ref` and its like).
"""

import sys
from pathlib import Path

from samcli.yamlhelper import yaml_dump, yaml_parse


def main(template: Path, function: str, variable: str) -> None:
    """Rewrites the template."""
    content = yaml_parse(template.read_text())
    properties = content["Resources"][function]["Properties"]
    properties.setdefault("Environment", {}).setdefault("Variables", {})[variable] = ""
    template.write_text(yaml_dump(content))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
