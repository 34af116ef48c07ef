"""The API fuzzed at length: hundreds of examples for every operation, another seed each time.

python -m tests.chaos.api [EXAMPLES]
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

from tests.support.console import served
from tests.support.fuzzing import fuzzed
from tests.support.shop import SETTINGS, fill
from triage.settings import Store
from triage.store.accounts import Role
from triage.store.repository import Repository
from triage.web.principal import SCOPES


def run(examples: int, seed: int, folder: Path) -> bool:
    """Each role in turn; whether all went well."""
    repository = Repository(Store(data_dir=folder))
    repository.database.upgrade()
    good = True
    with served(repository, **SETTINGS) as console:
        fill(repository)
        for role in Role:
            with console.program(role, *SCOPES) as program:
                found = fuzzed(program, folder, examples=examples, seed=seed)
            good = good and found.returncode == 0
            print(f"{role} with seed {seed}: {found.stdout[-200:].strip()}")
            if found.returncode:
                print(found.stdout)
    repository.close()
    return good


def main() -> None:
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        if not run(examples, random.randrange(10**6), Path(folder)):
            sys.exit(1)


if __name__ == "__main__":
    main()
