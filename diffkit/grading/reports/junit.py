"""JUnit's XML, which CI systems and editors show: a suite for each student, a case for each exercise."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from diffkit.grading.classes.running import ClassRun
from diffkit.grading.reports.scores import not_graded_first

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(run: ClassRun) -> str:
    """The results of a class as JUnit XML."""
    root = ET.Element("testsuites", name=_clean(run.assignment.title))
    for record in not_graded_first(run):
        failures = sum(not e.passed for e in record.exercises) if not record.not_graded else 0
        suite = ET.SubElement(
            root,
            "testsuite",
            name=_clean(record.student),
            tests=str(len(record.exercises)),
            failures=str(failures),
            errors=str(len(record.exercises) if record.not_graded else 0),
            time=f"{record.seconds:.3f}",
        )
        for exercise in record.exercises:
            case = ET.SubElement(suite, "testcase", classname=_clean(record.student), name=exercise.name)
            if record.not_graded:
                ET.SubElement(case, "error", message=_clean(f"not graded: {record.not_graded}"))
            elif not exercise.passed:
                first = next((c for c in exercise.checks if c.status == "failed"), None)
                message = exercise.mistake or (first.message if first else "") or "failed"
                ET.SubElement(case, "failure", message=_clean(message)).text = _clean(exercise.text())
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _clean(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
