"""What the REST rules report about API descriptions of others: counts by rule, and samples to be judged by a person.

Run: .venv/bin/python benchmarks/rest/measure.py [--sample N] [--rule RULE] DOCUMENT…

A sample is drawn by the document's name and the rule, so that it is the same one every time.
"""

import argparse
import random
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from gates.document import DocumentError, parse_document
from gates.rest import RULES, check_conventions
from gates.results import Finding


def report(path: Path, counts: Counter[str], sample: int, only: str | None) -> int:
    """Print what is found in a document, add it to the counts and return the number of its operations."""
    try:
        document = parse_document(path.read_text("utf-8"))
    except DocumentError as error:
        print(f"{path.name}: {error.message}")
        return 0
    began = time.perf_counter()
    findings = check_conventions(document)
    seconds = time.perf_counter() - began
    print(f"{path.name}: {len(document.operations)} operations, {len(findings)} findings, {seconds:.2f} s")
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
        counts[finding.rule] += 1
    for rule, found in by_rule.items():
        if only in (None, rule):
            print(f"  {found[0].severity:6} {rule:26} {len(found):5}")
            for finding in random.Random(f"{path.name} {rule}").sample(found, min(sample, len(found))):
                print(f"         - {finding.message} → {finding.fix}")
    return len(document.operations)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", nargs="+", type=Path)
    parser.add_argument("--sample", type=int, default=0, help="findings to print of each rule and document")
    parser.add_argument("--rule", help="the only rule to print")
    asked = parser.parse_args()
    counts: Counter[str] = Counter()
    operations = sum(report(path, counts, asked.sample, asked.rule) for path in asked.documents)
    print(f"{len(asked.documents)} documents, {operations} operations, {counts.total()} findings")
    for rule, known in RULES.items():
        print(f"  {known.severity or 'off':6} {rule:26} {counts[rule]:5}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
