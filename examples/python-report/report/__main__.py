import csv
import sys

from jinja2 import Template

from .weigh import heaviest, total

PAGE = Template(
    """{% for row in rows %}{{ "%-10s" | format(row.what) }} {{ "%6d" | format(row.tons | int) }} t
{% endfor %}{{ "%-10s" | format("all") }} {{ "%6d" | format(total) }} t, most of it {{ heaviest }}
"""
)

with open(sys.argv[1], newline="") as file:
    rows = list(csv.DictReader(file))
print(PAGE.render(rows=rows, total=total(rows), heaviest=heaviest(rows)))
