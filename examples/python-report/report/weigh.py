def total(rows):
    return sum(int(row["tons"]) for row in rows)


def heaviest(rows):
    return max(rows, key=lambda row: int(row["tons"]))["what"]
